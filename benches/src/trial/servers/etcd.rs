//! etcd, beside puts of the client alone.

use super::beside::{Take, apart, each, hand_overs, renewal, timed, uncontended, workers};
use crate::figure;
use crate::measure::{self, Plan, Run};
use crate::target::{Reach, Target, Unit};
use lockutils_etcd::EtcdLocks;
use lockutils_servers::Etcd;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Response};
use tonic_prost::ProstCodec;

const HOLDS: usize = 10_000;

/// How the processes take a lock.
pub(super) const OURS: &str = "etcd";

pub(crate) fn targets(plan: Plan) -> Vec<Target> {
    if !Etcd::available() {
        return Vec::new();
    }
    let (server, _pinned) = apart(Etcd::start);
    let url = server.url();
    let put = Put::at(&url);
    let mut targets = uncontended("etcd", move || put.run(), ours(&url), plan);
    targets.extend(hand_over(&url, plan));
    let locks = EtcdLocks::new(&url).expect("its URL");
    let locks = locks.ttl(Duration::from_secs(3));
    let holds: Vec<_> = (0..HOLDS)
        .map(|key| locks.key(key).lock().expect("nobody else has it"))
        .collect();
    let close = |time| locks.close(time);
    targets.push(renewal("etcd", holds, close, plan));
    targets
}

fn hand_over(url: &str, plan: Plan) -> [Target; 2] {
    let mut workers = workers(OURS, url);
    let put = Put::at(url);
    let all = Rc::new(RefCell::new(Vec::new()));
    let of_all = Rc::clone(&all);
    let mut runs: [Run; 2] = [
        Box::new(move |length| each(length, || timed(|| put.run()))),
        Box::new(move |length| {
            let times = hand_overs(length, &mut workers);
            of_all.borrow_mut().extend(&times);
            measure::median(&times)
        }),
    ];
    let times = measure::rounds(runs.iter_mut().collect(), plan);
    let [puts, hand_overs] = [&times[0], &times[1]];
    let details = figure::compared(hand_overs, puts);
    [
        Target {
            what: "etcd, hand-over between processes / a put".to_owned(),
            reach: Reach::AtMost(5.0, Unit::Times),
            measured: measure::ratio(hand_overs, puts),
            details: details.clone(),
        },
        Target {
            what: "etcd, hand-over between processes: 9 of 10".to_owned(),
            reach: Reach::AtMost(3.0, Unit::Milliseconds),
            measured: measure::quantile(&all.borrow(), 0.9) / 1e6,
            details,
        },
    ]
}

pub(super) fn ours(url: &str) -> Take {
    let locks = EtcdLocks::new(url).expect("its URL");
    Box::new(move || {
        let guard = locks.key("key").lock().expect("the server answers");
        Box::new(move || guard.release().expect("it was held"))
    })
}

/// What writes a key, without us.
struct Put {
    runtime: Runtime,
    channel: Channel,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(bytes = "vec", tag = "1")]
    key: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Done {}

impl Put {
    fn at(url: &str) -> Self {
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.expect("a runtime can be made");
        let url = url.replace("etcd://", "http://");
        let node = Endpoint::from_shared(url).expect("its URL");
        let channel = runtime.block_on(node.connect()).expect("the server runs");
        Self { runtime, channel }
    }

    /// As long a key and a value as ours.
    fn run(&self) {
        let (key, value) = (vec![b'k'; 60], vec![b'v'; 120]);
        self.runtime.block_on(async {
            let mut client = Grpc::new(self.channel.clone());
            client.ready().await.expect("the server runs");
            let path = PathAndQuery::from_static("/etcdserverpb.KV/Put");
            let put = Request::new(Question { key, value });
            let codec = ProstCodec::<Question, Done>::default();
            let done: Result<Response<Done>, _> = client.unary(put, path, codec).await;
            done.expect("the server answers");
        });
    }
}
