//! Templates of organizations.

use kernel::OrganizationId;
use platform::db::Tx;
use platform::http::Problem;

use crate::message::Kind;
use crate::templates::Forms;
use crate::templates::name::Name;
use crate::wording::Language;

/// An organization's own template, if it has one.
///
/// # Errors
/// When the database fails.
pub async fn find(tx: &mut Tx, organization: OrganizationId, name: Name) -> Result<Option<Forms>, Problem> {
    let forms = sqlx::query_as!(
        Forms,
        "select subject, text, html, sms, push_title, push_body from notifications.message_template
         where organization_id = $1 and kind = $2 and language = $3",
        organization.0,
        name.kind as Kind,
        name.language as Language,
    )
    .fetch_optional(&mut **tx)
    .await?;
    Ok(forms)
}
