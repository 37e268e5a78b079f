//! A type of its own for the locks of each server.

/// Makes a type of the locks of a server, with all that a [`Remote`](crate::Remote) of its store can
/// do. Behind `from url`, also `new`, for a store that is [`FromUrl`](crate::FromUrl). Behind `keys`, a
/// type whose `new` makes of the space and a key what its `key` gives, for keys that can do more.
///
/// ```
/// use lockutils_remote::locks_of;
/// # use lockutils_remote::fake::FakeStore as Database;
///
/// locks_of! {
///     /// The locks of a database.
///     pub struct DatabaseLocks(Database);
/// }
/// ```
#[macro_export]
macro_rules! locks_of {
    ($(#[$attribute:meta])* pub struct $name:ident($store:ty) from url $(, keys $key:ident)?;) => {
        $crate::locks_of! {
            $(#[$attribute])*
            pub struct $name($store) $(, keys $key)?;
        }

        impl $name {
            /// The locks of the server that a URL names. Connects when it is used first.
            ///
            /// # Errors
            ///
            /// [`InvalidUrl`](::lockutils::ErrorKind::InvalidUrl), with the part that is wrong.
            pub fn new(url: &str) -> ::core::result::Result<Self, ::lockutils::Error> {
                $crate::Remote::new(url).map(Self)
            }
        }
    };
    ($(#[$attribute:meta])* pub struct $name:ident($store:ty) $(, keys $key:ident)?;) => {
        $(#[$attribute])*
        #[derive(Clone)]
        pub struct $name($crate::Remote<$store>);

        impl $name {
            /// Names of locks begin with this at the server; by default with `lockutils`. Spaces
            /// with different prefixes have different locks. It may be empty.
            #[must_use]
            pub fn prefix(self, prefix: impl ::core::convert::Into<::std::string::String>) -> Self {
                Self(self.0.prefix(prefix))
            }

            /// The lease: how long the server gives a lock for, and goes on doing so, since it is
            /// renewed. So long others wait for a lock whose holder was cut off or has died. By default
            /// 15 seconds.
            ///
            /// # Panics
            ///
            /// If it is less than a second, or less or more than the server can give; the text has the range.
            #[must_use]
            #[track_caller]
            pub fn ttl(self, ttl: ::core::time::Duration) -> Self {
                Self(self.0.ttl(ttl))
            }

            /// How long the server may be silent, before that is an error of the kind
            /// [`Unavailable`](::lockutils::ErrorKind::Unavailable). By default 5 seconds;
            /// [`Duration::MAX`](::core::time::Duration::MAX) is for ever.
            ///
            /// # Panics
            ///
            /// If it is less than a millisecond, in which no server answers.
            #[must_use]
            #[track_caller]
            pub fn answer_timeout(self, timeout: ::core::time::Duration) -> Self {
                Self(self.0.answer_timeout(timeout))
            }

            #[doc(hidden)]
            #[must_use]
            pub fn command(self, command: impl ::core::convert::Into<::std::string::String>) -> Self {
                Self(self.0.command(command))
            }

            /// What texts call the space: the server without user and password, and the prefix.
            #[must_use]
            pub fn name(&self) -> &'static str {
                self.0.name()
            }

            $crate::locks_of! { @key $($key)? }

            /// Names several locks of the space, to be taken together.
            ///
            /// `keys` is anything that `for` takes. They are taken in one order, so two callers
            /// can't each hold what the other waits for; one that is there twice is taken once. An
            /// empty list holds nothing and succeeds.
            pub fn keys<I>(&self, keys: I) -> ::lockutils::KeysHandle<'_, Self>
            where
                I: ::core::iter::IntoIterator,
                I::Item: ::lockutils::LockKey,
            {
                ::lockutils::KeysHandle::new(self, keys)
            }

            /// Tells who holds what at the server, of this prefix. Blocks the thread until it has
            /// answered.
            ///
            /// # Errors
            ///
            /// [`Unavailable`](::lockutils::ErrorKind::Unavailable).
            pub fn states(
                &self,
            ) -> ::core::result::Result<::std::vec::Vec<::lockutils::LockState>, ::lockutils::Error>
            {
                self.0.states()
            }

            /// The same for a task.
            ///
            /// # Errors
            ///
            /// [`Unavailable`](::lockutils::ErrorKind::Unavailable).
            pub async fn states_async(
                &self,
            ) -> ::core::result::Result<::std::vec::Vec<::lockutils::LockState>, ::lockutils::Error>
            {
                self.0.states_async().await
            }

            /// Waits until all is released that was dropped, and ends the connection if nobody has a
            /// lock any more, nor waits for one. Whoever asks later has another one made.
            ///
            /// A program that ends without it leaves what it has just dropped to the end of the lease,
            /// if the server wasn't told yet.
            ///
            /// # Errors
            ///
            /// [`Unavailable`](::lockutils::ErrorKind::Unavailable) if the time is over before.
            pub fn close(
                &self,
                timeout: ::core::time::Duration,
            ) -> ::core::result::Result<(), ::lockutils::Error> {
                self.0.close(timeout)
            }
        }

        impl ::core::convert::From<$crate::Remote<$store>> for $name {
            fn from(locks: $crate::Remote<$store>) -> Self {
                Self(locks)
            }
        }

        impl ::lockutils::engine::Space for $name {
            type Machine = ::lockutils::engine::Outside<$crate::Leases<$store>>;

            fn wait(
                &self,
                key: &dyn ::lockutils::LockKey,
                mode: ::lockutils::engine::Mode,
                site: ::lockutils::Site,
            ) -> ::lockutils::engine::Acquire<Self::Machine> {
                ::lockutils::engine::Space::wait(&self.0, key, mode, site)
            }

            fn wait_all(
                &self,
                keys: ::std::vec::Vec<::lockutils::Key>,
                mode: ::lockutils::engine::Mode,
                site: ::lockutils::Site,
            ) -> ::lockutils::engine::Acquire<Self::Machine> {
                ::lockutils::engine::Space::wait_all(&self.0, keys, mode, site)
            }
        }

        impl ::lockutils::engine::Inspect for $name {
            fn is_locked(
                &self,
                key: &::lockutils::Key,
            ) -> ::core::result::Result<bool, ::lockutils::Error> {
                ::lockutils::engine::Inspect::is_locked(&self.0, key)
            }

            fn holder(
                &self,
                key: &::lockutils::Key,
            ) -> ::core::result::Result<
                ::core::option::Option<::lockutils::Holder>,
                ::lockutils::Error,
            > {
                ::lockutils::engine::Inspect::holder(&self.0, key)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Debug::fmt(&self.0, f)
            }
        }
    };
    (@key) => {
        /// Names one lock of the space, for its methods to take.
        ///
        /// `key` is a value or a reference. Nothing is locked yet.
        pub fn key<K: ::lockutils::LockKey>(&self, key: K) -> ::lockutils::Handle<'_, K, Self> {
            ::lockutils::Handle::new(self, key)
        }
    };
    (@key $key:ident) => {
        /// Names one lock of the space, for its methods to take.
        ///
        /// `key` is a value or a reference. Nothing is locked yet.
        pub fn key<K: ::lockutils::LockKey>(&self, key: K) -> $key<'_, K> {
            $key::new(self, key)
        }
    };
}
