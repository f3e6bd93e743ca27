//! `GET /api/v1/reports/{report}`: utilization, no-shows, lead times, cancellations, top resources, heat map.

use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use garde::Validate;
use http::header;
use jiff::civil::Date;
use kernel::role::ReportsRead;
use platform::auth::Can;
use platform::csv;
use platform::http::{Json, Path, Problem, Query};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::{IntoParams, ToSchema};

use crate::App;
use crate::report::rows::{GroupBy, Report, ReportRow};
use crate::store::{reach, report_rows, reports};

/// Days of one report at most.
const MOST_DAYS: i64 = 366;

/// In which form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReportFormat {
    /// A document.
    Json,
    /// A line for each row, with a head.
    Csv,
}

/// Of which days, and how.
#[derive(Debug, Deserialize, Validate, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct Ask {
    /// The first day. Days and hours are those of each resource's own clock.
    #[garde(skip)]
    #[param(value_type = String, format = Date, example = "2026-11-01")]
    pub from: Date,
    /// The day after the last, at most 366 days later.
    #[garde(skip)]
    #[param(value_type = String, format = Date, example = "2026-12-01")]
    pub to: Date,
    /// What the rows stand for; everything in one when absent. Not for `top-resources`.
    #[garde(skip)]
    pub group_by: Option<GroupBy>,
    /// `json` when absent, or `csv`.
    #[garde(skip)]
    pub format: Option<ReportFormat>,
    /// Of `top-resources`, how many: 1 to 200, 10 when absent.
    #[garde(range(min = 1, max = 200))]
    #[param(minimum = 1, maximum = 200, default = 10)]
    pub limit: Option<usize>,
}

/// A report.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Report)]
pub struct ReportBody {
    /// Which.
    pub report: Report,
    /// The first day.
    #[schema(value_type = String, format = Date)]
    pub from: Date,
    /// The day after the last.
    #[schema(value_type = String, format = Date)]
    pub to: Date,
    /// What the rows stand for.
    pub group_by: Option<GroupBy>,
    /// The rows, by name; of `top-resources` the most booked first.
    pub rows: Vec<ReportRow>,
}

/// A report over some days. What happened within the last seconds may be missing.
#[utoipa::path(
    get,
    path = "/api/v1/reports/{report}",
    operation_id = "get_report",
    tag = "reports",
    summary = "See how resources are used",
    params(
        ("report" = Report, Path, description = "Which report"),
        Ask
    ),
    responses(
        (status = 200, description = "The report; with `format=csv` as a file", body = ReportBody),
        (status = 400, description = "invalid_query"),
        (status = 404, description = "not_found"),
        (status = 422, description = "invalid_input")
    ),
    extensions(("x-permission" = json!("reports.read")))
)]
pub async fn get_report(
    actor: Can<ReportsRead>,
    State(app): State<App>,
    Path(report): Path<Report>,
    Query(ask): Query<Ask>,
) -> Result<Response, Problem> {
    let days = (ask.to - ask.from).get_days();
    if days < 1 || i64::from(days) > MOST_DAYS {
        let detail = "The report is over 1 to 366 days.";
        return Err(Problem::invalid_field("to", "out_of_range", detail));
    }
    if report == Report::TopResources && ask.group_by.is_some_and(|by| by != GroupBy::Resource) {
        return Err(Problem::invalid_field("group_by", "not_supported", "Its rows are resources."));
    }
    let group_by = ask.group_by.or((report == Report::TopResources).then_some(GroupBy::Resource));
    let mut tx = app.context.db.begin(actor.organization).await?;
    let within = reach::places(&mut tx, &actor).await?;
    let asked = report_rows::Asked { report, group_by, days: (ask.from, ask.to), within: within.as_ref() };
    let sums = reports::sums(
        &mut tx,
        actor.organization,
        asked.measures(),
        asked.days,
        group_by == Some(GroupBy::Group),
        report == Report::HeatMap,
    )
    .await?;
    let mut rows = report_rows::rows(&mut tx, actor.organization, &asked, &sums).await?;
    if report == Report::TopResources {
        rows.retain(|row| row.booked_minutes.is_some_and(|minutes| minutes > 0));
        rows.sort_by_key(|row| std::cmp::Reverse((row.booked_minutes, row.bookings)));
        rows.truncate(ask.limit.unwrap_or(10));
    }
    let body = ReportBody { report, from: ask.from, to: ask.to, group_by, rows };
    if ask.format == Some(ReportFormat::Csv) { file(&body) } else { Ok(Json(body).into_response()) }
}

fn file(body: &ReportBody) -> Result<Response, Problem> {
    let of: &[&str] = if body.group_by.is_some() { &["id", "name"] } else { &[] };
    let columns = || of.iter().chain(body.report.columns()).copied();
    let mut text = csv::line(columns().map(|name| json!(name)));
    for row in &body.rows {
        let row = serde_json::to_value(row).map_err(|error| Problem::internal(&error))?;
        text.push_str(&csv::line(columns().map(|name| row[name].clone())));
    }
    let headers = [
        (header::CONTENT_TYPE, "text/csv; charset=utf-8"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"report.csv\""),
    ];
    Ok((headers, text).into_response())
}
