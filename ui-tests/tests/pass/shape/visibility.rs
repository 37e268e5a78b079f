//! Every visibility, in modules, impls and functions.
#![deny(warnings, unreachable_pub)]

mod outer {
    pub(crate) mod inner {
        use lockutils::{is_locked, synchronized};

        #[synchronized("a")]
        pub(crate) fn in_the_crate() -> bool {
            is_locked("a")
        }

        #[synchronized("a")]
        pub(super) fn in_the_parent() -> bool {
            is_locked("a")
        }

        #[synchronized("a")]
        pub(in crate::outer) fn in_a_path() -> bool {
            is_locked("a")
        }

        #[synchronized("a")]
        pub(self) fn in_here() -> bool {
            is_locked("a")
        }

        #[synchronized("a")]
        fn private() -> bool {
            is_locked("a")
        }

        pub(crate) fn all() -> bool {
            in_here() && private()
        }
    }

    pub(crate) fn all() -> bool {
        inner::in_the_parent() && inner::in_a_path()
    }
}

fn main() {
    #[lockutils::synchronized("local")]
    fn local() -> bool {
        lockutils::is_locked("local")
    }
    let block = {
        #[lockutils::synchronized("block")]
        fn local() -> bool {
            lockutils::is_locked("block")
        }
        local()
    };
    assert!(outer::inner::in_the_crate() && outer::inner::all() && outer::all());
    assert!(local() && block);
}
