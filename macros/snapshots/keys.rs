#[synchronized(keys = [from, to])]
fn transfer(from: u64, to: u64) {}

// Expands to:

fn transfer(from: u64, to: u64) {
    let __begun = {
        let mut __keys = ::lockutils::__private::Keys::new();
        for __key in ([from, to]) {
            ::lockutils::__private::add(&mut __keys, &__key);
        }
        ::lockutils::__private::Space::begin_all(
            ::lockutils::__private::global(),
            &__keys,
            ::lockutils::__private::Mode::Exclusive,
            ::lockutils::__private::site(const {
                &::lockutils::__private::Function::new("transfer")
            }),
        )
    };
    let ::core::result::Result::Ok(__guard) = __begun.block();
    { ({}) }
}
