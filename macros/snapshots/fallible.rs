#[synchronized(key = id, shared, acquire_timeout = "250ms")]
fn read(id: u32) -> anyhow::Result<Vm> {
    load(id)
}

// Expands to:

fn read(id: u32) -> anyhow::Result<Vm> {
    let __timeout: ::lockutils::__private::Duration = ::lockutils::__private::Duration::new(
        0u64,
        250000000u32,
    );
    let __begun = ::lockutils::__private::begin(
        ::lockutils::__private::global(),
        &(id),
        ::lockutils::__private::Mode::Shared,
        ::lockutils::__private::site(const {
            &::lockutils::__private::Function::new("read")
        }),
    );
    let __guard = match __begun.block_for(__timeout) {
        ::core::result::Result::Ok(__guard) => __guard,
        ::core::result::Result::Err(__failure) => {
            return ::lockutils::__private::FromFailure::from_failure(
                ::core::convert::identity(__failure),
            );
        }
    };
    { ({ load(id) }) }
}
