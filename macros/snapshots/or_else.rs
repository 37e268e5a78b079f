#[synchronized("sweep", nonblocking, or_else = |_| false)]
fn sweep() -> bool {
    true
}

// Expands to:

fn sweep() -> bool {
    let __begun = ::lockutils::__private::begin_global(
        &("sweep"),
        const { &::lockutils::__private::Function::new("sweep") },
    );
    let __guard = match __begun.try_now() {
        ::core::result::Result::Ok(__guard) => __guard,
        ::core::result::Result::Err(__failure) => {
            return ::lockutils::__private::or_else(__failure, |_| false);
        }
    };
    { ({ true }) }
}
