//! Writes the code of etcd's calls; see `Cargo.toml`.

use std::error::Error;
use std::fs;
use std::path::Path;

const HEAD: &str = "\
//! The calls of etcd's API that locks need.
//!
//! Long, since it is generated: by `cargo run --manifest-path backends/etcd/generate/Cargo.toml`,
//! from `proto/rpc.proto`, which says where that is from.

";

fn main() -> Result<(), Box<dyn Error>> {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let proto = package.join("proto");
    let descriptors = protox::compile(["rpc.proto"], [&proto])?;
    let out = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .out_dir(out.path())
        .compile_fds(descriptors)?;
    let code = fs::read_to_string(out.path().join("etcdserverpb.rs"))?;
    fs::write(package.join("src/proto.rs"), HEAD.to_owned() + &code)?;
    Ok(())
}
