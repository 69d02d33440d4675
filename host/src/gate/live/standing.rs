//! What of a run's remit still holds: its scopes expire and its grants are revoked while it goes on.
//!
//! What was decided when the run was accepted is the most that it ever has. The grants that the decision came from are
//! watched: when one has ended, the remit is what the others give of it. An unchanged one costs a call a load.

use std::sync::Arc;

use crate::journal::{self, Ended, GrantId, Journal, StoredGrant, Watch};
use crate::manifest::{self, Manifest, RuleId, Window};
use crate::scope::{Access, Denial, Remit};
use crate::time::Timestamp;

/// What holds for a run, and the grants that it came from.
pub struct Standing {
    /// What was decided.
    whole: Arc<Remit>,
    /// The most that is left of it since, where the run goes on under a lower ceiling.
    most: Option<Remit>,
    /// What is left of it.
    now: Arc<Remit>,
    grants: Vec<Granted>,
    /// The plugin's manifest as it was written; empty for a bare component.
    manifest: String,
    /// Nothing where no grant is stored.
    watch: Option<Watch>,
    /// When something expires next, in microseconds since the epoch.
    until_us: u64,
    /// The latest time that anything was judged by: what has expired stays so, whatever becomes of the clock.
    latest: Timestamp,
}

/// One of the grants that a remit came from.
struct Granted {
    /// Its name, where it is stored.
    id: Option<GrantId>,
    /// How it ended, if it did before it expired.
    ended: Option<Ended>,
    /// As TOML.
    text: String,
    says: manifest::Grant,
    gives: Remit,
    until: Option<Timestamp>,
}

impl Standing {
    /// Takes what was decided at `now`, and the grants that it came from as the run's header names them: stored ones by
    /// their names, others by their text.
    ///
    /// # Errors
    /// [`journal::Error::NoSuchGrant`]; what keeps the grants from being read.
    pub fn of(
        journal: &Journal,
        remit: Remit,
        grants: &[String],
        manifest: &str,
        now: Timestamp,
    ) -> Result<Self, journal::Error> {
        let (whole, manifest) = (Arc::new(remit), manifest.to_owned());
        let (stored, written): (Vec<_>, Vec<_>) = grants.iter().partition(|grant| grant.parse::<GrantId>().is_ok());
        let ids: Vec<GrantId> = stored.into_iter().filter_map(|name| name.parse().ok()).collect();
        let watched = if ids.is_empty() { None } else { Some(journal.watch(ids)?) };
        let (watch, stored) = watched.map_or((None, Vec::new()), |(watch, stored)| (Some(watch), stored));
        let stored = stored.into_iter().map(|StoredGrant { id, grant }| {
            let until = grant.expires.map(manifest::LastDay::end);
            Granted { ended: grant.ended, until, ..Granted::new(Some(id), &grant.scope) }
        });
        let grants = stored.chain(written.into_iter().map(|text| Granted::new(None, text))).collect();
        let now_holds = whole.clone();
        let mut standing =
            Self { whole, most: None, now: now_holds, grants, manifest, watch, until_us: 0, latest: now };
        standing.judge();
        Ok(standing)
    }

    /// Has the run go on with no more than `most`, whatever was decided when it was accepted.
    #[must_use]
    pub fn at_most(mut self, most: &Remit) -> Self {
        self.most = (*most != *self.whole).then(|| most.clone());
        self.judge();
        self
    }

    /// Returns what holds.
    #[inline]
    pub fn remit(&self) -> &Arc<Remit> {
        &self.now
    }

    /// Tells whether a grant may have ended since what holds was judged.
    #[inline]
    pub fn has_changed(&self) -> bool {
        self.watch.as_ref().is_some_and(Watch::has_changed)
    }

    /// Tells whether something will expire.
    #[inline]
    pub fn expires(&self) -> bool {
        self.until_us != u64::MAX
    }

    /// Tells whether what holds has to be judged anew at `now`.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.has_changed() || now.as_micros() >= self.until_us
    }

    /// Judges anew what holds.
    ///
    /// # Errors
    /// What keeps the grants from being read.
    pub fn renew(&mut self, now: Timestamp) -> Result<(), journal::Error> {
        self.latest = self.latest.max(now);
        if let Some(watch) = &mut self.watch {
            let stored = watch.look()?;
            for (granted, StoredGrant { grant, .. }) in self.grants.iter_mut().zip(stored) {
                granted.ended = grant.ended;
            }
        }
        self.judge();
        Ok(())
    }

    fn judge(&mut self) {
        let mut left = self.whole.at(self.latest);
        let (stand, gone): (Vec<_>, Vec<_>) = self.grants.iter().partition(|granted| granted.stands(self.latest));
        if !gone.is_empty() {
            let together = stand.iter().fold(manifest::Grant::default(), |all, granted| {
                // What was together when the run was accepted shares no request; if it did, less would hold.
                all.clone().amended_by(granted.says.clone()).unwrap_or(all)
            });
            left = left.intersect(&Remit::from_grant(&together));
        }
        if let Some(most) = &self.most {
            left = left.intersect(most);
        }
        let until = stand.iter().filter_map(|granted| granted.until).chain(left.next_expiry()).min();
        self.until_us = until.map_or(u64::MAX, Timestamp::as_micros);
        self.now = if left == *self.whole { self.whole.clone() } else { Arc::new(left) };
    }

    /// Answers whether a call may use the files at `index` of what was decided.
    pub fn file_allows(&self, index: usize, wanted: Access) -> Result<(), Denial> {
        if Arc::ptr_eq(&self.now, &self.whole) {
            return self.now.file_allows(index, wanted);
        }
        self.now.file_of_allows(&self.whole, index, wanted)
    }

    /// Returns the stored grant that allows what `allows` asks a remit.
    pub fn authorizing(&self, allows: impl Fn(&Remit) -> bool) -> Option<GrantId> {
        let mut allowing = self.grants.iter().filter(|granted| granted.stands(self.latest) && allows(&granted.gives));
        allowing.find_map(|granted| granted.id)
    }

    /// Returns the denial, which says how the grant ended that allowed what was asked for, or that the ceiling
    /// was lowered, if that is why.
    pub fn explained(&self, denial: Denial) -> Denial {
        if Arc::ptr_eq(&self.now, &self.whole) || !denial.is_allowed_by(&self.whole) {
            return denial;
        }
        if self.most.as_ref().is_some_and(|most| !denial.is_allowed_by(most)) {
            return denial.since_lowered();
        }
        let mut gone = self.grants.iter().filter(|granted| !granted.stands(self.latest));
        match gone.find(|granted| denial.is_allowed_by(&granted.gives)).and_then(Granted::how_it_ended) {
            Some(how) => denial.since(how),
            None => denial.or_expired(&self.whole),
        }
    }

    /// Tells whether the plugin's manifest requests what was denied. What is bare requests whatever it was given.
    pub fn requests(&self, denial: &Denial) -> bool {
        let manifest = Manifest::parse(manifest::FILE_NAME, &self.manifest);
        manifest.map_or(self.manifest.is_empty(), |manifest| denial.is_allowed_by(&Remit::open(manifest.request())))
    }

    /// Returns the section that `rule` counts with at least this much in each span, as TOML.
    pub fn with_amounts(&self, rule: &RuleId, least: &[(Window, u64)]) -> Option<String> {
        self.grants.iter().find_map(|granted| manifest::with_amounts(&granted.text, rule, least))
    }
}

impl Granted {
    fn new(id: Option<GrantId>, text: &str) -> Self {
        // What no longer parses gives nothing.
        let says = manifest::Grant::parse("a grant", text).unwrap_or_default();
        let until = says.expires.map(manifest::LastDay::end);
        Self { id, ended: None, text: text.to_owned(), gives: Remit::from_grant(&says), says, until }
    }

    fn stands(&self, now: Timestamp) -> bool {
        self.ended.is_none() && self.until.is_none_or(|until| now < until)
    }

    /// Says how a stored grant ended before it expired.
    fn how_it_ended(&self) -> Option<String> {
        let (id, ended) = (self.id?, self.ended.as_ref()?);
        Some(match ended.replaced_by {
            Some(by) => format!("grant {id} was replaced by {by}, which holds for runs that start later"),
            None => format!("grant {id} was revoked"),
        })
    }
}
