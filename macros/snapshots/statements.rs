#[synchronized(key = id, locks = space, acquire_timeout = patience, when = id > 5)]
fn start(id: u32, space: &Locks, patience: Duration) -> BoxFuture<'static, Result<u32, Error>> {
    let id = id * 100;
    Box::pin(async move { Ok(id) })
}

// Expands to:

fn start(
    id: u32,
    space: &Locks,
    patience: Duration,
) -> BoxFuture<'static, Result<u32, Error>> {
    let __asked = if (id > 5) {
        let __timeout: ::lockutils::__private::Duration = patience;
        let __begun = ::lockutils::__private::waiting(
            ::lockutils::__private::Space::wait(
                &(space),
                &(id),
                ::lockutils::__private::Mode::Exclusive,
                ::lockutils::__private::site(const {
                    &::lockutils::__private::Function::new("start")
                }),
            ),
        );
        ::core::option::Option::Some((__timeout, __begun))
    } else {
        ::core::option::Option::None
    };
    let no_return_before_the_block;
    let a_return_before_this_block_skips_the_lock = ();
    no_return_before_the_block = ::lockutils::__private::Passed(
        &a_return_before_this_block_skips_the_lock,
    );
    {
        ({
            let id = id * 100;
            no_return_before_the_block.pass();
            Box::pin(async move {
                let __guard = if let ::core::option::Option::Some(
                    (__timeout, __begun),
                ) = __asked {
                    let __guard = match __begun.timed(__timeout).await {
                        ::core::result::Result::Ok(__guard) => __guard,
                        ::core::result::Result::Err(__failure) => {
                            return ::lockutils::__private::FromFailure::from_failure(
                                ::core::convert::identity(__failure),
                            );
                        }
                    };
                    ::lockutils::__private::HeldThroughout::check(
                        ::lockutils::__private::Unseen::new(&__guard).stays_held(),
                    );
                    ::core::option::Option::Some(__guard)
                } else {
                    ::core::option::Option::None
                };
                { ({ Ok(id) }) }
            })
        })
    }
}
