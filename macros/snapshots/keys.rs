#[synchronized(keys = [from, to])]
fn transfer(from: u64, to: u64) {}

// Expands to:

fn transfer(from: u64, to: u64) {
    let mut __keys = ::lockutils::__private::Vec::new();
    for __key in ([from, to]) {
        ::lockutils::__private::add(&mut __keys, &__key);
    }
    let __begun = ::lockutils::__private::Space::wait_all(
        ::lockutils::__private::global(),
        __keys,
        ::lockutils::__private::Mode::Exclusive,
        ::lockutils::__private::site(const {
            &::lockutils::__private::Function::new("transfer")
        }),
    );
    let ::core::result::Result::Ok(__guard) = __begun.block();
    { ({}) }
}
