#[synchronized]
async fn rotate_logs() {}

// Expands to:

async fn rotate_logs() {
    let __task = ::lockutils::__private::Task::current().await;
    let __begun = ::lockutils::__private::begin_own_async(
        {
            static OWN: ::lockutils::__private::Own = ::lockutils::__private::Own::new(
                ::core::concat!(::core::module_path!(), "::rotate_logs"),
                "rotate_logs",
            );
            &OWN
        },
        __task,
    );
    let __guard = __begun.await;
    { ({}) }
}
