#[synchronized("vm-{id}", locks = VMS)]
async fn start(id: u32) {
    boot(id).await;
}

// Expands to:

async fn start(id: u32) {
    let __task = ::lockutils::__private::Task::current().await;
    let __begun = ::lockutils::__private::Space::begin_async(
        &(VMS),
        &(::lockutils::__private::PiecedFormat((
            "vm-",
            ::lockutils::__private::Captured::new(&id).lockutils_lone_piece(),
        ))),
        ::lockutils::__private::Mode::Exclusive,
        ::lockutils::__private::site(const {
            &::lockutils::__private::Function::new("start")
        }),
        __task,
    );
    let __guard = match __begun.wait().await {
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
    {
        ({
            boot(id).await;
        })
    }
}
