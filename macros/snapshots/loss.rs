#[synchronized("vm-{id}", locks = VMS, cancel_on_loss)]
async fn start(id: u32) -> Result<u32, Error> {
    let vm = find(id).await?;
    vm.start().await
}

// Expands to:

async fn start(id: u32) -> Result<u32, Error> {
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
    let __lost = ::lockutils::__private::CanBeLost::lost(&__guard);
    let __result = {
        let __body = async move {
            if let ::core::option::Option::Some(__value) = ::lockutils::__private::no_value::<
                Result<u32, Error>,
            >() {
                return __value;
            }
            {
                ({
                    let vm = find(id).await?;
                    vm.start().await
                })
            }
        };
        ::lockutils::__private::until_lost(__lost, ::core::pin::pin!(__body)).await
    };
    match __result {
        ::core::result::Result::Ok(__value) => __value,
        ::core::result::Result::Err(__failure) => {
            ::lockutils::__private::FromFailure::from_failure(
                ::core::convert::identity(__failure),
            )
        }
    }
}
