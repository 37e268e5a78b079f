use lockutils::synchronized as serial;
use lockutils::synchronized;

#[serial("a")]
#[serial("b")]
fn start() {}

#[synchronized("a")]
#[serial("b")]
fn stop() {}

fn main() {}
