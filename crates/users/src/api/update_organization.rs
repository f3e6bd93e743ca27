//! `PATCH /api/v1/organization`: an administrator changes the settings of the organization.

use std::collections::BTreeSet;

use axum::extract::State;
use contracts::users::{Branding, OrganizationSettings, Verification};
use garde::Validate;
use kernel::role::OrganizationManage;
use platform::auth::Can;
use platform::events::Origin;
use platform::http::{IfMatch, Json, Problem};
use platform::idempotency::Answer;
use serde::Deserialize;
use utoipa::ToSchema;

use super::fields;
use super::get_organization::SettingsBody;
use crate::App;
use crate::store::settings::{self, Kept};

/// What is to change; absent stays.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = UpdateOrganization)]
pub struct Request {
    /// Its name: 1 to 200 characters.
    #[garde(inner(custom(fields::name)))]
    #[schema(min_length = 1, max_length = 200, example = "Example University")]
    pub name: Option<String>,
    /// Its short name, with which its people sign in: 1 to 63 lower-case letters, digits and inner dashes.
    #[garde(inner(custom(fields::slug)))]
    #[schema(min_length = 1, max_length = 63, example = "tu-wien")]
    pub slug: Option<String>,
    /// The zone of its accounts until they choose another (IANA).
    #[garde(inner(custom(fields::time_zone)))]
    #[schema(min_length = 1, max_length = 64, example = "Europe/Vienna")]
    pub time_zone: Option<String>,
    /// The language of its accounts until they choose another (BCP 47).
    #[garde(inner(custom(fields::locale)))]
    #[schema(min_length = 2, max_length = 35, example = "en-GB")]
    pub locale: Option<String>,
    /// Whether strangers may register.
    #[garde(skip)]
    pub self_registration: Option<bool>,
    /// Domains whose addresses may register, without those below them: 100 at most; empty: all.
    #[garde(inner(custom(fields::domains)))]
    #[schema(max_items = 100, example = json!(["example.edu"]))]
    pub email_domains: Option<BTreeSet<String>>,
    /// Whether an address has to be verified before its owner may sign in.
    #[garde(skip)]
    pub verification: Option<Verification>,
    /// Minutes without a refresh after which a session is over.
    #[garde(range(min = 5, max = 525_600))]
    #[schema(minimum = 5, maximum = 525_600, example = 1440)]
    pub session_idle_minutes: Option<u32>,
    /// Days after which a session is over; the installation's limit holds as well.
    #[garde(range(min = 1, max = 365))]
    #[schema(minimum = 1, maximum = 365, example = 30)]
    pub session_absolute_days: Option<u32>,
    /// Characters of a new password at least; the installation's limit holds as well.
    #[garde(range(min = 8, max = 64))]
    #[schema(minimum = 8, maximum = 64, example = 16)]
    pub password_min_length: Option<u32>,
    /// The colours of its mails and pages.
    #[garde(inner(custom(fields::branding)))]
    pub branding: Option<Branding>,
}

impl Request {
    fn after(self, before: &OrganizationSettings) -> OrganizationSettings {
        let before = before.clone();
        OrganizationSettings {
            slug: self.slug.unwrap_or(before.slug),
            name: self.name.unwrap_or(before.name),
            time_zone: self.time_zone.unwrap_or(before.time_zone),
            locale: self.locale.unwrap_or(before.locale),
            active: before.active,
            self_registration: self.self_registration.unwrap_or(before.self_registration),
            // The operator's to say: a host name is not the organization's because it says so.
            hosts: before.hosts,
            email_domains: self.email_domains.unwrap_or(before.email_domains),
            verification: self.verification.unwrap_or(before.verification),
            session_idle_minutes: self.session_idle_minutes.unwrap_or(before.session_idle_minutes),
            session_absolute_days: self.session_absolute_days.unwrap_or(before.session_absolute_days),
            password_min_length: self.password_min_length.unwrap_or(before.password_min_length),
            branding: self.branding.unwrap_or(before.branding),
        }
    }
}

/// Changes the settings.
#[utoipa::path(
    patch,
    path = "/api/v1/organization",
    operation_id = "update_organization",
    tag = "organization",
    summary = "Change the organization's settings",
    params(("If-Match" = String, Header, description = "The ETag of the version to change")),
    request_body = Request,
    responses(
        (status = 200, description = "The settings after the change", body = SettingsBody),
        (status = 403, description = "permission_required"),
        (status = 409, description = "slug_taken, too_many_slugs"),
        (status = 412, description = "stale_version"),
        (status = 422, description = "invalid_input"),
        (status = 428, description = "if_match_required")
    ),
    extensions(("x-permission" = json!("organization.manage")))
)]
pub async fn update_organization(
    actor: Can<OrganizationManage>,
    State(app): State<App>,
    version: IfMatch,
    Json(request): Json<Request>,
) -> Result<Answer, Problem> {
    let (organization, now) = (actor.organization, app.context.clock.now());
    let mut tx = app.context.db.begin(organization).await?;
    let kept = settings::lock(&mut tx, organization).await?;
    version.check(kept.version)?;
    let after = request.after(&kept.settings);
    let origin = Origin::from(&*actor);
    let version = settings::store(&mut tx, organization, &kept, &after, &origin, now).await?;
    tx.commit().await?;
    let kept = Kept { settings: after, version };
    Answer::ok(version, &SettingsBody::new(organization, kept))
}
