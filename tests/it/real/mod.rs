//! The whole clerk on real servers: what hostile and broken mail does to it, and what becomes of its work when
//! it is killed or its servers go away.

mod backup;
mod bad_answers;
mod bad_files;
mod bad_mails;
mod confidences;
mod demo;
mod documents;
mod kills;
mod load;
mod outages;
mod signatures;
mod verify;
mod village;
