#[synchronized(reentrant)]
fn rotate_logs() {}

// Expands to:

fn rotate_logs() {
    let __begun = ::lockutils::__private::begin_reentrant(
        {
            static OWN: ::lockutils::__private::Locks = ::lockutils::__private::Locks::new(
                ::core::concat!(::core::module_path!(), "::rotate_logs"),
            );
            &OWN
        },
        &"",
        ::lockutils::__private::Mode::Exclusive,
        ::lockutils::__private::site(const {
            &::lockutils::__private::Function::new("rotate_logs")
        }),
    );
    let __guard = __begun.lock();
    { ({}) }
}
