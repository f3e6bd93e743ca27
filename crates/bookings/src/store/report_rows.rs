//! The rows of a report: sums gathered by resource, type, place or group, with the hours that these were open.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use kernel::{OrganizationId, ResourceId, Slot, UserId};
use platform::db::Tx;
use platform::http::Problem;
use uuid::Uuid;

use super::reports::Sum;
use super::resources::{Resource, Tree, tree};
use super::rules::Rulebook;
use crate::policy::Person;
use crate::report::rows::{GroupBy, Report, ReportRow};
use crate::report::{BUCKETS, Measure};
use crate::schedule;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Which report.
    pub report: Report,
    /// What its rows stand for.
    pub group_by: Option<GroupBy>,
    /// The first day, and the one after the last.
    pub days: (Date, Date),
    /// Only these resources count; none for all.
    pub within: Option<&'a BTreeSet<ResourceId>>,
}

impl Asked<'_> {
    fn counts(&self, id: ResourceId) -> bool {
        self.within.is_none_or(|within| within.contains(&id))
    }

    /// What is summed up for it.
    #[must_use]
    pub const fn measures(&self) -> &'static [Measure] {
        match self.report {
            Report::Utilization | Report::TopResources => {
                &[Measure::Bookings, Measure::Booked, Measure::Used]
            }
            Report::NoShows => &[Measure::Finished, Measure::NoShows],
            Report::LeadTimes => &[Measure::LeadTimes],
            Report::Cancellations => &[Measure::Cancellations],
            Report::HeatMap => &[Measure::Booked, Measure::Used],
        }
    }

    const fn has_hours(&self) -> bool {
        matches!(self.report, Report::Utilization | Report::TopResources)
            && !matches!(self.group_by, Some(GroupBy::Group))
    }

    /// The rows that something of a resource counts in.
    fn rows_of(&self, resource: Option<&Resource>, id: ResourceId, group: Uuid) -> Vec<(Uuid, String)> {
        let name = |name: fn(&Resource) -> &str| resource.map(name).unwrap_or_default().to_owned();
        match self.group_by {
            None => vec![(Uuid::nil(), String::new())],
            Some(GroupBy::Group) => vec![(group, String::new())],
            Some(GroupBy::Resource) => vec![(id.0, name(|resource| &resource.name))],
            Some(GroupBy::Type) => {
                let type_id = resource.and_then(|resource| resource.type_id);
                type_id.map(|type_id| (type_id.0, name(|resource| &resource.type_name))).into_iter().collect()
            }
            Some(GroupBy::Location) => resource
                .into_iter()
                .flat_map(|resource| resource.location_path.iter().zip(&resource.location_names))
                .map(|(place, name)| (place.0, name.clone()))
                .collect(),
        }
    }
}

/// What a row gathers.
#[derive(Debug, Default)]
struct Gathered {
    name: String,
    open: i64,
    sums: BTreeMap<String, i64>,
}

/// The part of a row's place beside what it stands for: weekday and hour, or a length of time.
type Cell = (i32, i16);

/// The rows, by name.
///
/// # Errors
/// When the database fails.
pub async fn rows(
    tx: &mut Tx,
    organization: OrganizationId,
    asked: &Asked<'_>,
    sums: &[Sum],
) -> Result<Vec<ReportRow>, Problem> {
    let mut resources = resources(tx, organization, asked, sums).await?;
    resources.retain(|id, _| asked.counts(*id));
    let mut gathered = BTreeMap::<(Uuid, Cell), Gathered>::new();
    for sum in sums.iter().filter(|sum| asked.counts(sum.resource_id)) {
        let resource = resources.get(&sum.resource_id);
        for (id, name) in asked.rows_of(resource, sum.resource_id, sum.group_id) {
            let row = gathered.entry((id, (sum.weekday, sum.bucket))).or_default();
            row.name = name;
            *row.sums.entry(sum.measure.clone()).or_insert(0) += sum.amount;
        }
    }
    if asked.has_hours() {
        for (id, seconds) in open(tx, organization, &resources, asked.days).await? {
            for (id, name) in asked.rows_of(resources.get(&id), id, Uuid::nil()) {
                let row = gathered.entry((id, (0, 0))).or_default();
                row.name = name;
                row.open += seconds;
            }
        }
    }
    let mut rows: Vec<(String, Uuid, Cell, ReportRow)> = gathered
        .into_iter()
        .map(|((id, cell), gathered)| (gathered.name.clone(), id, cell, row(asked, id, cell, &gathered)))
        .collect();
    rows.sort_by(|a, b| (&a.0, a.1, a.2).cmp(&(&b.0, b.1, b.2)));
    Ok(rows.into_iter().map(|(.., row)| row).collect())
}

/// The resources concerned: all, where those that nobody booked count as well.
async fn resources(
    tx: &mut Tx,
    organization: OrganizationId,
    asked: &Asked<'_>,
    sums: &[Sum],
) -> Result<Tree, Problem> {
    let ids: Vec<ResourceId> = if asked.has_hours() {
        let all = sqlx::query_scalar!(
            "select id from bookings.resource where organization_id = $1",
            organization.0
        );
        all.fetch_all(&mut **tx).await?.into_iter().map(ResourceId).collect()
    } else {
        sums.iter().map(|sum| sum.resource_id).collect()
    };
    tree(tx, organization, &ids).await
}

/// For how many seconds each resource that can be booked was open on some days, all its units together.
async fn open(
    tx: &mut Tx,
    organization: OrganizationId,
    resources: &Tree,
    (from, to): (Date, Date),
) -> Result<Vec<(ResourceId, i64)>, Problem> {
    let units = sqlx::query!(
        r#"select resource_id, count(*) as "units!" from bookings.unit
           where organization_id = $1 and not retired group by resource_id"#,
        organization.0,
    );
    let units: BTreeMap<Uuid, i64> =
        units.fetch_all(&mut **tx).await?.into_iter().map(|row| (row.resource_id, row.units)).collect();
    let book = Rulebook::load(tx, organization, resources, &[]).await?;
    // Hours that hold for everybody: not those of a group.
    let anybody = Person::nobody(UserId(Uuid::nil()));
    let open = resources.values().filter(|resource| resource.active).map(|resource| {
        let zone = TimeZone::get(&resource.time_zone).unwrap_or(TimeZone::UTC);
        let midnight = |day: Date| day.to_zoned(zone.clone()).ok().map(|zoned| zoned.timestamp());
        let window = midnight(from).zip(midnight(to)).and_then(|(from, to)| Slot::new(from, to).ok());
        let slots = match (window, book.rules(resource, &anybody).schedule) {
            (None, _) => Vec::new(),
            (Some(window), None) => vec![window],
            (Some(window), Some(hours)) => schedule::open(&hours, &zone, &window),
        };
        let seconds: i64 = slots.iter().map(|slot| slot.duration().as_secs()).sum();
        (resource.id, seconds * units.get(&resource.id.0).copied().unwrap_or(1))
    });
    Ok(open.collect())
}

fn row(asked: &Asked<'_>, id: Uuid, cell: Cell, gathered: &Gathered) -> ReportRow {
    let sum = |measure: Measure| gathered.sums.get(measure.name()).copied().unwrap_or(0);
    let minutes = |measure| Some(sum(measure) / 60);
    let bucket = usize::try_from(cell.1).ok().and_then(|place| BUCKETS.get(place)).copied();
    let row = ReportRow {
        id: asked.group_by.map(|_| id),
        name: asked.group_by.map(|_| gathered.name.clone()).filter(|name| !name.is_empty()),
        ..ReportRow::default()
    };
    match asked.report {
        Report::Utilization | Report::TopResources => ReportRow {
            bookings: Some(sum(Measure::Bookings)),
            open_minutes: asked.has_hours().then_some(gathered.open / 60),
            booked_minutes: minutes(Measure::Booked),
            used_minutes: minutes(Measure::Used),
            utilization: asked.has_hours().then(|| ratio(sum(Measure::Booked), gathered.open)).flatten(),
            ..row
        },
        Report::NoShows => ReportRow {
            finished: Some(sum(Measure::Finished)),
            no_shows: Some(sum(Measure::NoShows)),
            no_show_rate: ratio(sum(Measure::NoShows), sum(Measure::Finished)),
            ..row
        },
        Report::LeadTimes => ReportRow { lead_time: bucket, bookings: Some(sum(Measure::LeadTimes)), ..row },
        Report::Cancellations => {
            ReportRow { notice: bucket, cancellations: Some(sum(Measure::Cancellations)), ..row }
        }
        Report::HeatMap => ReportRow {
            weekday: Some(cell.0),
            hour: Some(cell.1),
            booked_minutes: minutes(Measure::Booked),
            used_minutes: minutes(Measure::Used),
            ..row
        },
    }
}

/// A share, to four places; none of nothing.
fn ratio(part: i64, of: i64) -> Option<f64> {
    let ten_thousandths = part.checked_mul(10_000)?.checked_add(of / 2)?.checked_div(of)?;
    i32::try_from(ten_thousandths).ok().map(|share| f64::from(share) / 10_000.0)
}
