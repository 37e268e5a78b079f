//! Questions about keys, in few words, and what their answers have.

use lockutils_remote::Fault;

use crate::link::{Kind, Link};
use crate::proto::compare::{CompareResult, CompareTarget, TargetUnion};
use crate::proto::kv_client::KvClient;
use crate::proto::range_request::{SortOrder, SortTarget};
use crate::proto::request_op::Request;
use crate::proto::response_op::Response;
use crate::proto::{
    Compare, DeleteRangeRequest, KeyValue, PutRequest, RangeRequest, RangeResponse, RequestOp,
    TxnRequest, TxnResponse,
};

/// A begin, and an end; that is empty for a single key.
pub(crate) type Range = (Vec<u8>, Vec<u8>);

/// Asks for keys, however many there are.
pub(crate) async fn range(
    link: &Link,
    kind: Kind,
    range: RangeRequest,
) -> Result<RangeResponse, Fault> {
    link.ask(kind, range, |channel, request| async {
        let client = KvClient::new(channel).max_decoding_message_size(usize::MAX);
        { client }.range(request).await
    })
    .await
}

/// Has some operations done where all conditions hold, and others where one doesn't.
pub(crate) async fn txn(
    link: &Link,
    kind: Kind,
    compare: Vec<Compare>,
    success: Vec<RequestOp>,
    failure: Vec<RequestOp>,
) -> Result<TxnResponse, Fault> {
    let txn = TxnRequest {
        compare,
        success,
        failure,
    };
    link.ask(kind, txn, |channel, request| async {
        KvClient::new(channel).txn(request).await
    })
    .await
}

/// All keys of a range, the oldest first.
pub(crate) fn oldest_first((key, range_end): Range) -> RangeRequest {
    let (sort_order, sort_target) = (SortOrder::Ascend.into(), SortTarget::Create.into());
    RangeRequest {
        key,
        range_end,
        sort_order,
        sort_target,
        ..Default::default()
    }
}

/// The oldest key of a range.
pub(crate) fn oldest(range: Range) -> RangeRequest {
    RangeRequest {
        limit: 1,
        ..oldest_first(range)
    }
}

/// So many keys of a range among those that are older than a revision, the youngest first.
pub(crate) fn last_before(range: Range, revision: i64, limit: i64) -> RangeRequest {
    RangeRequest {
        limit,
        sort_order: SortOrder::Descend.into(),
        max_create_revision: revision - 1,
        keys_only: true,
        ..oldest_first(range)
    }
}

/// A key, without its value.
pub(crate) fn one(key: Vec<u8>) -> RangeRequest {
    RangeRequest {
        key,
        keys_only: true,
        ..Default::default()
    }
}

/// If no key of the range is there; the end is empty for a single key.
pub(crate) fn if_none((key, range_end): Range) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: CompareTarget::Create.into(),
        key,
        // As one that isn't there has been created.
        target_union: Some(TargetUnion::CreateRevision(0)),
        range_end,
    }
}

/// If the key is there, and has that value.
pub(crate) fn if_value(key: Vec<u8>, value: Vec<u8>) -> Compare {
    Compare {
        result: CompareResult::Equal.into(),
        target: CompareTarget::Value.into(),
        key,
        target_union: Some(TargetUnion::Value(value)),
        range_end: Vec::new(),
    }
}

pub(crate) fn get(range: RangeRequest) -> RequestOp {
    RequestOp {
        request: Some(Request::RequestRange(range)),
    }
}

pub(crate) fn put(key: Vec<u8>, value: Vec<u8>, lease: i64) -> RequestOp {
    RequestOp {
        request: Some(Request::RequestPut(PutRequest { key, value, lease })),
    }
}

pub(crate) fn delete(key: Vec<u8>) -> RequestOp {
    RequestOp {
        request: Some(Request::RequestDeleteRange(DeleteRangeRequest { key })),
    }
}

/// The answers of the `get`s of a transaction, in their order.
pub(crate) fn gotten(answer: TxnResponse) -> impl Iterator<Item = RangeResponse> {
    answer
        .responses
        .into_iter()
        .filter_map(|response| match response.response? {
            Response::ResponseRange(range) => Some(range),
            _ => None,
        })
}

/// The first key, and how many there are.
pub(crate) fn first(range: Option<RangeResponse>) -> Option<(KeyValue, usize)> {
    let range = range?;
    let count = usize::try_from(range.count).unwrap_or_default();
    Some((range.kvs.into_iter().next()?, count))
}
