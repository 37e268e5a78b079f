#[synchronized("{name}-{id}")]
fn start(name: &Name, id: u32) {}

// Expands to:

fn start(name: &Name, id: u32) {
    let __begun = ::lockutils::__private::begin_global(
        &(::lockutils::__private::Format::new(
            (
                (::lockutils::__private::Captured::new(&name).lockutils_piece(), "-"),
                ::lockutils::__private::Captured::new(&id).lockutils_piece(),
            ),
            ::core::format_args!("{name}-{id}"),
        )),
        const { &::lockutils::__private::Function::new("start") },
    );
    let __guard = __begun.lock();
    { ({}) }
}
