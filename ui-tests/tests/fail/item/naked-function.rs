use lockutils::synchronized;

#[synchronized("a")]
#[unsafe(naked)]
pub extern "C" fn start() {
    std::arch::naked_asm!("ret")
}

fn main() {}
