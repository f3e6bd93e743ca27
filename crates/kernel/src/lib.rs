//! Words that three or more services say: ids, slots, money, e-mail, roles, the clock, kinds of error. No I/O.

pub mod clock;
pub mod email;
pub mod error;
pub mod event;
pub mod ids;
pub mod money;
pub mod remit;
pub mod role;
pub mod slot;

pub use clock::{Clock, SystemClock};
pub use email::Email;
pub use error::Kind;
pub use event::Event;
pub use ids::*;
pub use money::Money;
pub use remit::Remit;
pub use role::{Permission, Role};
pub use slot::Slot;
