//! The workflows: one file (or folder) each, joined by the one list at the end of this file.

pub mod forms;

use crate::kernel::assurance::Matrix;
use crate::kernel::canonical;
use crate::kernel::documents::Shelf;
use crate::kernel::duties::TaskPolicy;
use crate::kernel::ids::CaseId;
use crate::kernel::register::Register;
use crate::kernel::said::Command;
use crate::kernel::workflow::{Cx, Input, Opening, Overdue, Refusal, Step, Twin, Workflow};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::cell::RefCell;

/// What every step may look at, whatever its workflow.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    pub case: CaseId,
    pub now: DateTime<Utc>,
    pub policies: &'a Policies,
    pub register: &'a Register,
}

impl<'a> Surroundings<'a> {
    fn cx<P>(&self, policy: &'a P) -> Cx<'a, P> {
        Cx { case: self.case, now: self.now, policy, acts: &self.policies.acts, register: self.register }
    }
}

impl Policies {
    /// The digest under which the store keeps these policies and the journal names them.
    pub fn digest(&self) -> String {
        LAST.with_borrow_mut(|last| match last {
            Some((policies, digest)) if policies == self => digest.clone(),
            _ => {
                let digest = canonical::hash(self);
                *last = Some((self.clone(), digest.clone()));
                digest
            }
        })
    }
}

thread_local! {
    /// The policies last asked about: every step names their digest, and they hardly ever change.
    static LAST: RefCell<Option<(Policies, String)>> = const { RefCell::new(None) };
}

macro_rules! workflows {
    ($($name:ident: $Type:ident),* $(,)?) => {
        $(pub mod $name;)*

        /// The name of a workflow.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind { $($Type),* }

        /// A case of any workflow.
        #[derive(Debug, Clone, PartialEq)]
        #[expect(clippy::large_enum_variant, reason = "it lives for one step; a box would gain nothing")]
        pub enum Case { $($Type($name::$Type)),* }

        /// What an administrator may tune, by workflow: policy.toml.
        #[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Policies {
            /// Which assurance each act needs.
            pub acts: Matrix,
            /// What holds for tasks of every workflow.
            pub tasks: TaskPolicy,
            $(pub $name: <$name::$Type as Workflow>::Policy,)*
        }

        impl Policies {
            /// Whether every number is one with which a matter can run.
            ///
            /// # Errors
            /// The first that is not: its section, its name, and what may be written.
            pub fn check(&self) -> Result<(), String> {
                self.tasks.check().map_err(|problem| format!("[tasks] {problem}"))?;
                $(<$name::$Type as Workflow>::check(&self.$name)
                    .map_err(|problem| format!("[{}] {problem}", $name::$Type::KIND))?;)*
                Ok(())
            }
        }

        impl Kind {
            pub const ALL: &'static [Kind] = &[$(Kind::$Type),*];

            /// Every task that a case of this workflow can ask for.
            pub fn tasks(self) -> &'static [Twin] {
                match self { $(Kind::$Type => $name::$Type::TASKS),* }
            }

            /// Whether a matter of this kind keeps what people attach.
            pub fn keeps_documents(self) -> bool {
                match self { $(Kind::$Type => $name::$Type::DOCUMENTS),* }
            }

            pub fn name(self) -> &'static str {
                match self { $(Kind::$Type => $name::$Type::KIND),* }
            }

            /// Whether a reply to a mail of this workflow may hold this command.
            pub fn takes(self, command: &Command) -> bool {
                match self { $(Kind::$Type => <$name::$Type as Workflow>::takes(command)),* }
            }
        }

        impl Case {
            pub fn open(kind: Kind, opening: &Opening, at: &Surroundings<'_>) -> Result<Step<Case>, Refusal> {
                match kind {
                    $(Kind::$Type => $name::$Type::open(opening, &at.cx(&at.policies.$name))
                        .map(|step| step.map(Case::$Type)),)*
                }
            }

            pub fn step(self, input: &Input, at: &Surroundings<'_>) -> Result<Step<Case>, Refusal> {
                match self {
                    $(Case::$Type(case) => case.step(input, &at.cx(&at.policies.$name))
                        .map(|step| step.map(Case::$Type)),)*
                }
            }

            /// The state as stored; the kind stands beside it.
            pub fn save(&self) -> Value {
                let saved = match self { $(Case::$Type(case) => serde_json::to_value(case)),* };
                saved.expect("states have text keys")
            }

            /// # Errors
            /// A state this build cannot read: it was written by a newer one.
            pub fn load(kind: Kind, state: &Value) -> Result<Case, serde_json::Error> {
                match kind { $(Kind::$Type => $name::$Type::deserialize(state).map(Case::$Type)),* }
            }

            pub fn kind(&self) -> Kind {
                match self { $(Case::$Type(_) => Kind::$Type),* }
            }

            pub fn wake_at(&self) -> Option<DateTime<Utc>> {
                match self { $(Case::$Type(case) => case.wake_at()),* }
            }

            pub fn phase(&self) -> &'static str {
                match self { $(Case::$Type(case) => case.phase()),* }
            }

            pub fn title(&self) -> String {
                match self { $(Case::$Type(case) => case.title()),* }
            }

            /// Whether it has taken longer than its rules give it.
            pub fn overdue(&self, now: DateTime<Utc>, policies: &Policies) -> Option<Overdue> {
                match self { $(Case::$Type(case) => case.overdue(now, &policies.$name)),* }
            }

            /// Its documents, and who may see them.
            pub fn shelf(&self) -> Option<Shelf<'_>> {
                match self { $(Case::$Type(case) => case.shelf()),* }
            }

            /// The title in every language it has.
            pub fn titles(&self) -> Value {
                match self { $(Case::$Type(case) => case.titles()),* }
            }
        }
    };
}

impl Kind {
    pub fn from_name(name: &str) -> Option<Kind> {
        Kind::ALL.iter().copied().find(|kind| kind.name() == name)
    }
}

workflows! {
    accreditation: Accreditation,
    ballot: Ballot,
    decertification: Decertification,
    enquiry: Enquiry,
    office: Office,
}
