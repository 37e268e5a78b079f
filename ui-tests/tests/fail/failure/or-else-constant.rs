use lockutils::synchronized;

pub struct StatusCode(pub u16);

impl StatusCode {
    pub const CONFLICT: Self = Self(409);
}

#[synchronized(key = id, nonblocking, or_else = StatusCode::CONFLICT)]
pub fn start(id: u32) -> StatusCode {
    StatusCode(200)
}

fn main() {}
