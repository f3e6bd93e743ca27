//! `GET /api/v1/notification-statistics`: how many messages were sent in some days, how many failed, and how long it took.

use axum::extract::State;
use garde::Validate;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff_sqlx::ToSqlx as _;
use kernel::role::NotificationsManage;
use platform::auth::Can;
use platform::http::{Json, Problem, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::delivery::Way;

/// Days of one answer at most.
const MOST_DAYS: i64 = 92;

/// Of which days.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Days {
    /// The first day (UTC).
    #[garde(skip)]
    #[param(value_type = String, format = Date, example = "2026-11-01")]
    pub from: Date,
    /// The day after the last: at most 92 days later.
    #[garde(skip)]
    #[param(value_type = String, format = Date, example = "2026-12-01")]
    pub to: Date,
    /// Whether each day has rows of its own.
    #[garde(skip)]
    #[serde(default)]
    pub by_day: bool,
}

/// What became of the messages of one kind by one channel.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationStatistic)]
pub struct Statistic {
    /// The day (UTC) on which they were queued; none for all days together.
    #[schema(value_type = Option<String>, format = Date)]
    pub day: Option<Date>,
    /// The channel.
    pub channel: Way,
    /// The kind: that of a notification, or `letter` for mails of the user service.
    #[schema(example = "booking_confirmed")]
    pub kind: String,
    /// How many were queued.
    pub queued: i64,
    /// Of these a provider has taken.
    pub sent: i64,
    /// Of these the receiving side has, where providers tell.
    pub delivered: i64,
    /// Of these were opened, where providers tell.
    pub opened: i64,
    /// Of those sent did not get there, where providers tell; bounces are among them.
    pub undelivered: i64,
    /// Of those sent did not get there, and none will.
    pub bounced: i64,
    /// Of those sent were called unwanted by their readers.
    pub complained: i64,
    /// Of these were given up.
    pub failed: i64,
    /// Of these are on their way.
    pub waiting: i64,
    /// Seconds from being queued to being taken, quiet hours included: of half of those sent it was no more.
    #[schema(example = 0.4)]
    pub median_seconds: Option<f64>,
    /// The same of 95 in a hundred.
    #[schema(example = 1.2)]
    pub p95_seconds: Option<f64>,
}

/// The statistics.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = NotificationStatistics)]
pub struct Statistics {
    /// By day, channel and kind.
    pub items: Vec<Statistic>,
}

/// Counts the deliveries of some days.
///
/// # Errors
/// When the days are none or too many, or the database fails.
#[utoipa::path(
    get,
    path = "/api/v1/notification-statistics",
    operation_id = "get_notification_statistics",
    tag = "notifications",
    summary = "See what was sent, what failed, and how long it took",
    params(Days),
    responses(
        (status = 200, description = "By day, channel and kind", body = Statistics),
        (status = 400, description = "invalid_query"),
        (status = 403, description = "permission_required"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("notifications.manage")))
)]
pub async fn get_notification_statistics(
    State(app): State<App>,
    actor: Can<NotificationsManage>,
    Query(days): Query<Days>,
) -> Result<Json<Statistics>, Problem> {
    let count = (days.to - days.from).get_days();
    if count < 1 || i64::from(count) > MOST_DAYS {
        return Err(Problem::invalid_field("to", "out_of_range", "It is over 1 to 92 days."));
    }
    let start = |day: Date| day.to_zoned(TimeZone::UTC).map(|day| day.timestamp().to_sqlx());
    let window = start(days.from).and_then(|from| Ok((from, start(days.to)?)));
    let (from, to) =
        window.map_err(|error| Problem::invalid_field("from", "out_of_range", error.to_string()))?;
    let mut tx = app.context.db.begin(actor.organization).await?;
    let rows = sqlx::query!(
        r#"select case when $4 then (d.created_at at time zone 'UTC')::date::text end as day,
                  d.channel as "channel: Way", m.kind, count(*) as "queued!",
                  count(*) filter (where d.state = 'sent') as "sent!",
                  count(*) filter (where d.fate in ('delivered', 'opened', 'complained')) as "delivered!",
                  count(*) filter (where d.fate = 'opened') as "opened!",
                  count(*) filter (where d.fate in ('undelivered', 'bounced')) as "undelivered!",
                  count(*) filter (where d.fate = 'bounced') as "bounced!",
                  count(*) filter (where d.fate = 'complained') as "complained!",
                  count(*) filter (where d.state = 'failed') as "failed!",
                  count(*) filter (where d.state = 'queued') as "waiting!",
                  percentile_cont(0.5) within group (order by extract(epoch from d.sent_at - d.created_at)::float8) as median,
                  percentile_cont(0.95) within group (order by extract(epoch from d.sent_at - d.created_at)::float8) as p95
           from notifications.delivery d
           join notifications.message m on m.organization_id = d.organization_id and m.id = d.message_id
           where d.organization_id = $1 and d.created_at >= $2 and d.created_at < $3
           group by 1, 2, 3 order by 1, 2, 3"#,
        actor.organization.0,
        from as jiff_sqlx::Timestamp,
        to as jiff_sqlx::Timestamp,
        days.by_day,
    )
    .fetch_all(&mut *tx)
    .await?;
    tx.commit().await?;
    let items = rows.into_iter().map(|row| {
        let day = row
            .day
            .map(|day| day.parse())
            .transpose()
            .map_err(|error: jiff::Error| Problem::internal(&error))?;
        Ok(Statistic {
            day,
            channel: row.channel,
            kind: row.kind,
            queued: row.queued,
            sent: row.sent,
            delivered: row.delivered,
            opened: row.opened,
            undelivered: row.undelivered,
            bounced: row.bounced,
            complained: row.complained,
            failed: row.failed,
            waiting: row.waiting,
            median_seconds: row.median,
            p95_seconds: row.p95,
        })
    });
    Ok(Json(Statistics { items: items.collect::<Result<_, Problem>>()? }))
}
