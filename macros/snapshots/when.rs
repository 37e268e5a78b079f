#[synchronized(key = name?, when = name.is_some(), nonblocking)]
async fn open(name: Option<&str>) -> Result<File, Error> {
    File::open(name).await
}

// Expands to:

async fn open(name: Option<&str>) -> Result<File, Error> {
    let __guard = if (name.is_some()) {
        let __task = ::lockutils::__private::Task::current().await;
        let __begun = ::lockutils::__private::begin_global_async(
            &(name?),
            const { &::lockutils::__private::Function::new("open") },
            __task,
        );
        let __guard = match __begun.try_async().await {
            ::core::result::Result::Ok(__guard) => __guard,
            ::core::result::Result::Err(__failure) => {
                return ::lockutils::__private::FromFailure::from_failure(
                    ::core::convert::identity(__failure),
                );
            }
        };
        ::core::option::Option::Some(__guard)
    } else {
        ::core::option::Option::None
    };
    { ({ File::open(name).await }) }
}
