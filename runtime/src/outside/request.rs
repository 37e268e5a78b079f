//! One lock outside of the process to be taken: which, how, and where in the code; and the errors of
//! who doesn't get it.

use super::asking::Begins;
use super::engine::{Ask, Engine};
use super::listened::Asked;
use crate::costs;
use crate::culprit::Culprit;
use crate::error::{Error, ErrorKind};
use crate::holder::Holder;
use crate::key::Key;
use crate::name::{PlainName, Taken};
use crate::observe::listen::listeners;
use crate::refusal::Refusal;
use crate::site::Site;
use crate::table::identity::name_part;
use crate::table::policy::Terms;
use std::io;
use std::sync::Arc;

/// Which lock, how, and where in the code.
pub(super) struct Request<E> {
    pub(super) engine: Arc<E>,
    pub(super) key: Key,
    pub(super) name: Key,
    pub(super) terms: Terms,
    pub(super) site: Site,
}

/// A lock by its name outside of the process.
struct Named<E> {
    engine: Arc<E>,
    name: Key,
    key: Key,
}

impl<E: Engine> Asked for Named<E> {
    fn name(&self) -> String {
        if let Some(path) = self.engine.path(&self.name) {
            return path.to_string_lossy().escape_debug().to_string();
        }
        let (space, key) = (self.engine.name(), &self.key);
        PlainName { space, key }.to_string()
    }

    fn holder(&self) -> Option<Holder> {
        self.engine.holder_of(&self.name)
    }
}

impl<E: Engine> Request<E> {
    pub(super) fn taken(&self) -> Taken {
        Taken {
            space: self.engine.name(),
            key: self.key.clone(),
            site: self.site,
        }
    }

    pub(super) fn ask<'a>(&'a self, has_turn: bool, begins: Begins<'a>) -> Ask<'a> {
        Ask {
            key: &self.key,
            mode: self.terms.mode,
            reentry: self.terms.reentry,
            site: self.site,
            has_turn,
            begins,
        }
    }

    /// The lock, for people who look while it is asked for.
    pub(super) fn asked(&self) -> Arc<dyn Asked> {
        Arc::new(Named {
            engine: Arc::clone(&self.engine),
            name: self.name.clone(),
            key: self.key.clone(),
        })
    }

    pub(super) fn refuse(&self, refusal: Refusal) -> Error {
        let path = self.engine.path(&self.name);
        refusal.of(self.engine.name(), self.key.clone(), path)
    }

    /// The error of who finds the engine's lock taken.
    pub(super) fn busy(&self, kind: ErrorKind, place: &E::Place) -> Error {
        let holder = self.engine.holder(place);
        let error = Error::new(kind, self.engine.name(), self.key.clone(), holder);
        error.with_path(self.engine.path(&self.name))
    }

    /// The same of who doesn't wait.
    pub(super) fn refused(&self, place: &E::Place) -> Error {
        let error = self.busy(ErrorKind::Busy, place);
        if !listeners().is_none() {
            let holder = error.holder().map_or(Culprit::UNKNOWN, Culprit::from);
            let space = place.as_ref().locks.number();
            costs::refused(name_part(space), Some(holder));
        }
        error
    }

    /// What the in-process lock's error means here.
    pub(super) fn of_this_lock(&self, error: Error, place: &E::Place) -> Error {
        let error = error.renamed(self.engine.name(), self.key.clone());
        let error = error.with_path(self.engine.path(&self.name));
        if self.engine.is_held_here(place) || error.kind() == ErrorKind::Deadlock {
            return error;
        }
        // Who has the in-process lock waits for another process.
        match self.engine.holder(place) {
            Some(holder) => error.with_holder(Some(holder)),
            None => error,
        }
    }

    pub(super) fn moved_too_often(&self) -> Error {
        let source = io::Error::other("it is replaced again and again");
        let remedy = "see what replaces it, or use another name";
        self.refuse(Refusal::failed("lock", source, remedy))
    }
}
