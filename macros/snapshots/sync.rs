#[synchronized(key = cell.uuid)]
pub fn connect(cell: &Cell) -> Connection {
    open(cell)
}

// Expands to:

pub fn connect(cell: &Cell) -> Connection {
    let __begun = ::lockutils::__private::begin(
        ::lockutils::__private::global(),
        &(cell.uuid),
        ::lockutils::__private::Mode::Exclusive,
        ::lockutils::__private::site(const {
            &::lockutils::__private::Function::new("connect")
        }),
    );
    let __guard = __begun.lock();
    { ({ open(cell) }) }
}
