//! Every event as it stands on the wire: a change of one shows here, and what was once written must still be read.
#![expect(clippy::unwrap_used, reason = "test code")]

use contracts::bookings::*;
use contracts::resources::*;
use contracts::rules::{RuleSet, Rules, RulesChanged, Scope};
use contracts::users::*;
use kernel::*;
use serde_json::json;
use uuid::Uuid;

fn id(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

/// Compares with the snapshot on disk, then reads the snapshot back: both directions of the wire.
fn on_the_wire<E: Event + PartialEq + std::fmt::Debug>(event: &E) {
    insta::assert_json_snapshot!(E::TYPE, event);
    let path = format!("{}/tests/snapshots/wire__{}.snap", env!("CARGO_MANIFEST_DIR"), E::TYPE);
    let text = std::fs::read_to_string(path).unwrap();
    let written: E = serde_json::from_str(text.splitn(3, "---\n").nth(2).unwrap()).unwrap();
    assert_eq!(&written, event);
}

fn booking(status: BookingStatus) -> Booking {
    Booking {
        id: BookingId(id(1)),
        reference: "R7K2-M9QD".into(),
        version: 2,
        status,
        user_id: UserId(id(2)),
        slot: Slot::new("2026-11-23T09:00:00Z".parse().unwrap(), "2026-11-23T10:00:00Z".parse().unwrap())
            .unwrap(),
        resources: vec![BookedResource {
            resource_id: ResourceId(id(3)),
            name: "Ada".into(),
            units: 1,
            time_zone: "Europe/Lisbon".into(),
            location_names: vec!["Campus".into(), "Library".into()],
        }],
        expires_at: None,
        attendees: Some(4),
        price: Some(Money { amount: 1250, currency: "EUR".to_owned().try_into().unwrap() }),
        created_at: Some("2026-11-20T09:00:00Z".parse().unwrap()),
        checked_in_at: None,
        released_at: None,
        guest_user_ids: Vec::new(),
        guest_count: 0,
        waitlist_entry_id: None,
        approver_ids: vec![UserId(id(11))],
    }
}

#[test]
fn bookings() {
    macro_rules! check {
        ($($event:ident $status:ident),+) => {$(
            on_the_wire(&$event {
                before: Some(booking(BookingStatus::Held)),
                booking: booking(BookingStatus::$status),
                reason: Some("because".into()),
            });
        )+};
    }
    check!(BookingHeld Held, BookingConfirmed Confirmed, BookingMoved Confirmed, BookingCancelled Cancelled,
           BookingExpired Expired, BookingCheckedIn CheckedIn, BookingCompleted Completed, BookingRequested Pending,
           BookingApproved Pending, BookingEscalated Pending, BookingRejected Rejected, BookingNoShow NoShow,
           BookingTransferred Confirmed, BookingChanged Confirmed, BookingReinstated Confirmed,
           BookingFlagged Confirmed, BookingReminderDue Confirmed);
}

#[test]
fn blackouts_and_waitlists() {
    let slot = booking(BookingStatus::Held).slot;
    let blackout = Blackout { id: BlackoutId(id(12)), scope: Scope::Location, scope_id: id(5), slot };
    on_the_wire(&BlackoutCreated { blackout: blackout.clone() });
    on_the_wire(&BlackoutRemoved { blackout });
    let entry = WaitlistEntry { id: WaitlistEntryId(id(13)), user_id: UserId(id(2)), slot, booking_id: None };
    on_the_wire(&WaitlistJoined { entry: entry.clone() });
    on_the_wire(&WaitlistWithdrawn { entry: entry.clone() });
    let entry = WaitlistEntry { booking_id: Some(BookingId(id(1))), ..entry };
    on_the_wire(&WaitlistOffered { entry: entry.clone() });
    on_the_wire(&WaitlistAccepted { entry: entry.clone() });
    on_the_wire(&WaitlistExpired { entry });
    let money = Money { amount: 5000, currency: "EUR".to_owned().try_into().unwrap() };
    on_the_wire(&CreditGranted { user_id: UserId(id(2)), entry_id: 7, money });
    let conflict = Conflict {
        id: ConflictId(id(14)),
        outcome: "alternative_taken".into(),
        user_id: UserId(id(2)),
        booking_id: Some(BookingId(id(1))),
        slot,
    };
    on_the_wire(&ConflictResolved { conflict: conflict.clone() });
    let alternatives = vec![Alternative {
        resource_ids: vec![ResourceId(id(3))],
        starts_at: slot.starts_at(),
        ends_at: slot.ends_at(),
    }];
    let conflict = Conflict { outcome: "preempted".into(), ..conflict };
    on_the_wire(&ConflictPreempted { conflict, alternatives });
}

#[test]
fn series() {
    let series = Series {
        id: SeriesId(id(14)),
        version: 1,
        user_id: UserId(id(2)),
        rule: Some("FREQ=WEEKLY;COUNT=2".into()),
        starts_at: "2026-11-23T09:00:00".parse().unwrap(),
        time_zone: "Europe/Lisbon".into(),
        from: None,
        bookings: vec![BookingId(id(1)), BookingId(id(15))],
    };
    on_the_wire(&SeriesCreated { series: series.clone() });
    let series = Series {
        version: 2,
        from: Some("2026-11-30T09:00:00".parse().unwrap()),
        bookings: vec![BookingId(id(15))],
        ..series
    };
    on_the_wire(&SeriesChanged { series: series.clone() });
    on_the_wire(&SeriesCancelled { series });
}

fn resource() -> Resource {
    Resource {
        id: ResourceId(id(3)),
        version: 1,
        name: "Ada".into(),
        type_id: ResourceTypeId(id(4)),
        type_name: "meeting room".into(),
        location_path: vec![LocationId(id(5)), LocationId(id(6))],
        location_names: vec!["Campus".into(), "Library".into()],
        seats: Some(8),
        units: 1,
        amenities: ["projector".to_owned()].into(),
        attributes: json!({ "area": 24 }).as_object().unwrap().clone(),
        time_zone: "Europe/Lisbon".into(),
        parts: [ResourceId(id(7))].into(),
        status: ResourceStatus::Active,
    }
}

#[test]
fn resources() {
    on_the_wire(&ResourceCreated { resource: resource() });
    on_the_wire(&ResourceChanged { before: resource(), resource: Resource { version: 2, ..resource() } });
    on_the_wire(&ResourceRetired { resource: Resource { status: ResourceStatus::Retired, ..resource() } });
}

#[test]
fn users() {
    let user_id = UserId(id(2));
    let session_id = SessionId(id(8));
    let account = Account { role: Role::User, active: true, version: 1, groups: [].into(), remit: None };
    on_the_wire(&OrganizationCreated { organization_id: OrganizationId(id(9)), slug: "default".into() });
    on_the_wire(&UserCreated { user_id, account: account.clone() });
    let after = Account {
        role: Role::Manager,
        active: false,
        version: 2,
        groups: [GroupId(id(10))].into(),
        remit: None,
    };
    on_the_wire(&UserChanged { user_id, before: account, after, fields: vec!["role".into(), "name".into()] });
    on_the_wire(&UserRemoved { user_id });
    on_the_wire(&UserExported { user_id });
    let rule = GroupRule {
        email_domains: ["example.edu".to_owned()].into(),
        attributes: [("department".to_owned(), ["Physics".to_owned()].into())].into(),
    };
    on_the_wire(&GroupChanged {
        group_id: GroupId(id(10)),
        name: Some("Cardiology".into()),
        rule: Some(rule),
    });
    on_the_wire(&SessionStarted { session_id, user_id, device: Some("Firefox on Linux".into()) });
    on_the_wire(&SessionEnded { session_id, user_id, reason: SessionEnd::RefreshReused });
    on_the_wire(&PasswordResetRequested { user_id, reset_id: PasswordResetId(id(11)) });
    on_the_wire(&PasswordReset { user_id });
    let until = "2026-11-23T09:00:00Z".parse().unwrap();
    on_the_wire(&UserLocked { user_id, until, failures: 10 });
    on_the_wire(&SecondFactorChanged { user_id, change: SecondFactorChange::RecoveryCodeUsed });
    let (organization_id, after) = (OrganizationId(id(9)), [Role::Manager, Role::Admin].into());
    on_the_wire(&SignInPolicyChanged { organization_id, before: [].into(), after });
    let (key_id, scopes) = (ApiKeyId(id(12)), vec!["catalogue.read".to_owned()]);
    on_the_wire(&ApiKeyCreated { key_id, user_id, scopes, expires_at: until });
    on_the_wire(&ApiKeyRevoked { key_id, user_id });
}

#[test]
fn single_sign_on() {
    let (organization_id, user_id, issuer) =
        (OrganizationId(id(9)), UserId(id(2)), "https://login.example.edu");
    let settings = SingleSignOn {
        issuer: issuer.into(),
        client_id: "reservas".into(),
        scopes: ["email".to_owned()].into(),
        groups_claim: "groups".into(),
        roles: [("desk".to_owned(), Role::Manager)].into(),
        groups: [("staff".to_owned(), GroupId(id(10)))].into(),
        default_role: Role::User,
        create_accounts: true,
        email_domains: ["example.edu".to_owned()].into(),
        assume_email_verified: false,
        password_sign_in: true,
        return_to: ["https://booking.example.edu/signed-in".to_owned()].into(),
        multi_factor_acr: ["gold".to_owned()].into(),
    };
    let (before, after) = (None, Some(settings));
    on_the_wire(&SingleSignOnChanged { organization_id, before, after, secret_changed: true });
    on_the_wire(&IdentityLinked { user_id, issuer: issuer.into() });
    on_the_wire(&IdentityUnlinked { user_id });
}

#[test]
fn rules() {
    let rules = json!({
        "policy": { "max_minutes": 240, "approval": { "always": true, "steps": [{ "quorum": 2 }] },
                    "quotas": [{ "measure": "minutes", "limit": 600, "per": "week" }] },
        "schedule": { "weekly": [{ "days": ["monday"], "opens": "08:00", "closes": "18:00" }],
                      "overrides": [{ "from": "2026-12-25", "until": "2026-12-25", "name": "Christmas" }] },
        "prices": { "currency": "EUR", "prices": [{ "name": "Room", "amount": 1250, "per": "hour" }] },
    });
    let rules = Rules {
        scope: Scope::Type,
        scope_id: id(4),
        version: 3,
        rules: serde_json::from_value(rules).unwrap(),
    };
    on_the_wire(&RulesChanged { before: Some(RuleSet::default()), rules });
}

#[test]
fn organization_settings() {
    let before = OrganizationSettings {
        slug: "tu-wien".into(),
        name: "TU Wien".into(),
        time_zone: "Europe/Vienna".into(),
        locale: "de-AT".into(),
        active: true,
        self_registration: false,
        hosts: ["booking.example.edu".to_owned()].into(),
        email_domains: ["example.edu".to_owned()].into(),
        verification: Verification::Demanded,
        session_idle_minutes: 60,
        session_absolute_days: 30,
        password_min_length: 15,
        branding: Branding { primary: "#1a5fb4".into(), accent: "#26a269".into() },
    };
    let after = OrganizationSettings { self_registration: true, ..before.clone() };
    let fields = vec!["self_registration".into()];
    on_the_wire(&OrganizationChanged { organization_id: OrganizationId(id(1)), before, after, fields });
}

#[test]
fn letters_and_invitations() {
    let (letter_id, invitation_id) = (LetterId(id(1)), InvitationId(id(2)));
    let kind = LetterKind::EmailVerification;
    on_the_wire(&LetterRequested { letter_id, kind, user_id: Some(UserId(id(3))) });
    on_the_wire(&InvitationCreated {
        invitation_id,
        role: Role::Manager,
        groups: [GroupId(id(4))].into(),
        remit: None,
    });
    on_the_wire(&InvitationEnded { invitation_id, user_id: Some(UserId(id(3))) });
}
