#![deny(dead_code)]

use lockutils::synchronized;

pub struct Vm;

#[synchronized("vms")]
impl Vm {
    fn start(&self) {}
}

fn main() {}
