use lockutils::synchronized;

unsafe extern "C" {
    #[synchronized("a")]
    fn start();
}

fn main() {}
