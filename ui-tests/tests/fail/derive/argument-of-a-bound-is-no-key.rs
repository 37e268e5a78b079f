use lockutils::LockKey;

trait Entity {
    type Id;
}

struct Vm;

impl Entity for Vm {
    type Id = f32;
}

#[derive(LockKey)]
struct Id<E: Entity>(E::Id);

fn use_it(id: &Id<Vm>) {
    drop(lockutils::lock(id));
}

fn main() {}
