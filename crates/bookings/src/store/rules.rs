//! The rules over resources and the people they are for: this service's own copy, read in one statement.

use std::collections::{BTreeMap, BTreeSet};

use contracts::rules::{self as wire, Scope};
use contracts::users as people;
use jiff::tz::TimeZone;
use kernel::{GroupId, OrganizationId, Remit, Role, UserId};
use platform::db::Tx;
use platform::http::Problem;
use serde::Deserialize;
use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::resources::{Resource, Tree};
use crate::policy::{Item, Person};
use crate::rules::{Layer, Rules};

/// What is kept of an account.
#[derive(Debug, Deserialize)]
struct Account {
    role: Role,
    remit: Option<Remit>,
    active: bool,
}

/// The rules and the people that a decision needs.
#[derive(Debug, Clone, Default)]
pub struct Rulebook {
    organization: Uuid,
    layers: BTreeMap<Uuid, Layer>,
    people: BTreeMap<UserId, Person>,
}

impl Rulebook {
    /// What is known of the rules over resources and of some people.
    ///
    /// # Errors
    /// When the database fails, or holds rules that cannot be read.
    pub async fn load(
        tx: &mut Tx,
        organization: OrganizationId,
        tree: &Tree,
        users: &[UserId],
    ) -> Result<Self, Problem> {
        let scopes: BTreeSet<Uuid> =
            tree.values().flat_map(Resource::scopes).chain([organization.0]).collect();
        let scopes: Vec<Uuid> = scopes.into_iter().collect();
        let users: Vec<Uuid> = users.iter().map(|user| user.0).collect();
        let mut rows = sqlx::query!(
            r#"select 'account' as "kind!", id as "id!", null::uuid as user_id, null::bigint as "rules_version?", jsonb_build_object('role', role, 'remit', remit, 'active', active) as "document?"
               from bookings.account where organization_id = $1 and id = any($2)
               union all
               select 'group', m.group_id, m.user_id, r.version, r.rules
               from bookings.membership m
               left join bookings.rules r on r.organization_id = m.organization_id and r.scope_id = m.group_id
               where m.organization_id = $1 and m.user_id = any($2)
               union all
               select scope, scope_id, null, version, rules from bookings.rules
               where organization_id = $1 and scope_id = any($3)"#,
            organization.0,
            &users,
            &scopes,
        )
        .fetch_all(&mut **tx)
        .await?;
        // Accounts first, so that members find theirs.
        rows.sort_by_key(|row| row.kind != "account");
        let mut book = Self { organization: organization.0, ..Self::default() };
        for row in rows {
            book.add(&row.kind, row.id, row.user_id, (row.rules_version, row.document))
                .map_err(|error| Problem::internal(&error))?;
        }
        Ok(book)
    }

    fn add(
        &mut self,
        kind: &str,
        id: Uuid,
        user: Option<Uuid>,
        (version, document): (Option<i64>, Option<Value>),
    ) -> Result<(), serde_json::Error> {
        if kind == "account" {
            let Account { role, remit, active } = serde_json::from_value(document.unwrap_or_default())?;
            let person = Person { role, remit, active, ..Person::nobody(UserId(id)) };
            self.people.insert(UserId(id), person);
            return Ok(());
        }
        if let Some(person) = user.and_then(|user| self.people.get_mut(&UserId(user))) {
            person.groups.insert(GroupId(id));
        }
        if let Some(document) = document {
            let scope: Scope = serde_json::from_value(kind.into())?;
            let rules = serde_json::from_value(document)?;
            self.layers.insert(id, Layer { scope, scope_id: id, version, rules });
        }
        Ok(())
    }

    /// The same with other rules on something.
    #[must_use]
    pub fn with(mut self, layer: Layer) -> Self {
        self.layers.insert(layer.scope_id, layer);
        self
    }

    /// Who sees what rules are laid on; none where nothing says so.
    #[must_use]
    pub fn see(&self, scope_id: Uuid) -> Option<wire::Who> {
        self.layers.get(&scope_id)?.rules.policy.access.see.clone()
    }

    /// A person, if they are known.
    #[must_use]
    pub fn person(&self, id: UserId) -> Option<&Person> {
        self.people.get(&id)
    }

    /// A person, known or not.
    #[must_use]
    pub fn someone(&self, id: UserId) -> Person {
        self.people.get(&id).cloned().unwrap_or_else(|| Person::nobody(id))
    }

    /// The rules over a resource for whose booking it is to be.
    #[must_use]
    pub fn rules(&self, resource: &Resource, owner: &Person) -> Rules {
        Rules::of(&self.layers(resource, owner))
    }

    /// Their layers, from the most general to the most specific.
    #[must_use]
    pub fn layers(&self, resource: &Resource, owner: &Person) -> Vec<Layer> {
        let scopes = std::iter::once(self.organization)
            .chain(resource.type_id.map(|id| id.0))
            .chain(resource.location_path.iter().map(|id| id.0))
            .chain(owner.groups.iter().map(|id| id.0))
            .chain([resource.id.0]);
        scopes.filter_map(|id| self.layers.get(&id).cloned()).collect()
    }

    /// A resource as the policy looks at it.
    #[must_use]
    pub fn item(&self, resource: &Resource, units: i32, owner: &Person) -> Item {
        Item {
            resource_id: resource.id,
            units,
            places: resource.location_path.clone(),
            zone: TimeZone::get(&resource.time_zone).unwrap_or(TimeZone::UTC),
            seats: resource.seats,
            rules: self.rules(resource, owner),
        }
    }
}

/// Keeps the rules that the resource service told, unless newer ones are known.
///
/// # Errors
/// When the database fails.
pub async fn keep(tx: &mut Tx, organization: OrganizationId, rules: &wire::Rules) -> Result<(), Problem> {
    let scope = serde_json::to_value(rules.scope).map_err(|error| Problem::internal(&error))?;
    let document = serde_json::to_value(&rules.rules).map_err(|error| Problem::internal(&error))?;
    sqlx::query!(
        "insert into bookings.rules (organization_id, scope_id, scope, version, rules) values ($1, $2, $3, $4, $5)
         on conflict on constraint rules_pkey do update set version = excluded.version, rules = excluded.rules
         where bookings.rules.version < excluded.version",
        organization.0,
        rules.scope_id,
        scope.as_str(),
        rules.version,
        document,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}

/// Keeps what the user service told of an account, unless something newer is known.
///
/// # Errors
/// When the database fails.
pub async fn keep_account(
    tx: &mut Tx,
    organization: OrganizationId,
    user: UserId,
    account: &people::Account,
) -> Result<(), Problem> {
    let role = serde_json::to_value(account.role).map_err(|error| Problem::internal(&error))?;
    let kept = sqlx::query!(
        "insert into bookings.account (organization_id, id, version, role, active, remit) values ($1, $2, $3, $4, $5, $6)
         on conflict on constraint account_pkey do update
             set version = excluded.version, role = excluded.role, active = excluded.active, remit = excluded.remit
         where bookings.account.version <= excluded.version",
        organization.0,
        user.0,
        account.version,
        role.as_str(),
        account.active,
        account.remit.as_ref().map(Json) as Option<Json<&Remit>>,
    )
    .execute(&mut **tx)
    .await?;
    if kept.rows_affected() == 0 {
        return Ok(());
    }
    let groups: Vec<Uuid> = account.groups.iter().map(|group| group.0).collect();
    sqlx::query!(
        "delete from bookings.membership where organization_id = $1 and user_id = $2 and group_id <> all($3)",
        organization.0,
        user.0,
        &groups,
    )
    .execute(&mut **tx)
    .await?;
    sqlx::query!(
        "insert into bookings.membership (organization_id, user_id, group_id)
         select $1, $2, group_id from unnest($3::uuid[]) group_id
         on conflict on constraint membership_pkey do nothing",
        organization.0,
        user.0,
        &groups,
    )
    .execute(&mut **tx)
    .await?;
    Ok(())
}
