#[synchronized(key = id, acquire_timeout = patience)]
async fn read(id: u32, patience: Duration) -> io::Result<Vm> {
    load(id).await
}

// Expands to:

async fn read(id: u32, patience: Duration) -> io::Result<Vm> {
    let __timeout: ::lockutils::__private::Duration = patience;
    let __task = ::lockutils::__private::Task::current().await;
    let __begun = ::lockutils::__private::begin_global_async(
        &(id),
        const { &::lockutils::__private::Function::new("read") },
        __task,
    );
    let __guard = match __begun.timed(__timeout).await {
        ::core::result::Result::Ok(__guard) => __guard,
        ::core::result::Result::Err(__failure) => {
            return ::lockutils::__private::FromFailure::from_failure(
                ::core::convert::identity(__failure),
            );
        }
    };
    { ({ load(id).await }) }
}
