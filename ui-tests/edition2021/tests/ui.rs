//! What `#[synchronized]` accepts, in edition 2021.

#[test]
fn cases() {
    let cases = trybuild::TestCases::new();
    for topic in ["derive", "impl", "shape"] {
        cases.pass(format!("../tests/pass/{topic}/*.rs"));
    }
}
