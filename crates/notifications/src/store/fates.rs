//! What became of messages, as it is kept.

use jiff_sqlx::ToSqlx as _;
use kernel::UserId;
use platform::http::Problem;

use crate::App;
use crate::fate::{Fate, News};
use crate::store::suppressions::insert;
use crate::suppression::digest;

/// Writes down what became of a message, unless more is known already, and lets its address get no more mail where that
/// follows. What is of no message of ours changes nothing; to hear it again neither.
///
/// # Errors
/// When the database fails.
pub async fn record(app: &App, news: &News) -> Result<(), Problem> {
    let now = app.context.clock.now();
    let mut tx = app.context.db.begin(news.organization).await?;
    let known = sqlx::query!(
        r#"select d.fate as "fate: Fate", case when m.letter_id is null then m.user_id end as "user: UserId"
           from notifications.delivery d
           join notifications.message m on m.organization_id = d.organization_id and m.id = d.message_id
           where d.organization_id = $1 and d.id = $2 and d.channel in ('email', 'sms') for update of d"#,
        news.organization.0,
        news.delivery.0,
    );
    let Some(known) = known.fetch_optional(&mut *tx).await? else { return Ok(()) };
    if known.fate < Some(news.fate) {
        sqlx::query!(
            "update notifications.delivery set fate = $3, fate_at = $4, error = coalesce($5, error)
             where organization_id = $1 and id = $2",
            news.organization.0,
            news.delivery.0,
            news.fate as Fate,
            now.to_sqlx() as _,
            news.words,
        )
        .execute(&mut *tx)
        .await?;
    }
    if let Some((reason, email)) = news.fate.suppresses().zip(news.email.as_ref()) {
        let digest = digest(news.organization, email);
        insert(&mut tx, news.organization, &digest, reason, known.user, now).await?;
    }
    tx.commit().await?;
    Ok(())
}
