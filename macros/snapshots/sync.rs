#[synchronized(key = cell.uuid)]
pub fn connect(cell: &Cell) -> Connection {
    open(cell)
}

// Expands to:

pub fn connect(cell: &Cell) -> Connection {
    let __begun = ::lockutils::__private::begin_global(
        &(cell.uuid),
        const { &::lockutils::__private::Function::new("connect") },
    );
    let __guard = __begun.lock();
    { ({ open(cell) }) }
}
