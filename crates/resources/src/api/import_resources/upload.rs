//! The two forms in which an import arrives: a file in a form, or JSON.

use axum::extract::multipart::{Field as Part, Multipart, MultipartError};
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use http::header;
use platform::http::extract::{body_problem, parse};
use platform::http::{Json, Problem};
use utoipa::ToSchema;

use super::draft::Batch;
use super::mapping::Mapping;
use super::{csv_lines, json_lines};
use crate::error::Error;

/// What arrived.
#[derive(Debug)]
pub struct Upload {
    /// Only tell what would happen.
    pub(super) dry_run: bool,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Csv { file: Bytes, mapping: Option<Mapping> },
    Json(json_lines::Body),
}

/// The form, for the documentation.
#[derive(Debug, ToSchema)]
#[schema(as = ImportForm)]
#[expect(dead_code, reason = "describes the parts of a form, which are read one by one")]
pub struct Form {
    /// The CSV file: UTF-8, with or without a byte order mark, its first line naming the columns; 20,000 lines at most.
    #[schema(value_type = String, format = Binary)]
    file: Bytes,
    /// How to read it, as JSON. Without it, columns that are named like fields are those fields.
    mapping: Option<Mapping>,
    /// Only tell what would happen.
    dry_run: Option<bool>,
}

impl Upload {
    /// Reads all lines. Takes a moment for a large file, so it is not for the threads that serve requests.
    ///
    /// # Errors
    /// 422 for a file, mapping or list that cannot be read as a whole.
    pub(super) fn read(self) -> Result<Batch, Problem> {
        match self.content {
            Content::Csv { file, mapping } => csv_lines::read(&file, mapping),
            Content::Json(body) => json_lines::read(&body),
        }
    }

    async fn form(mut form: Multipart) -> Result<Self, Problem> {
        let (mut file, mut mapping, mut dry_run) = (None, None, false);
        while let Some(part) = form.next_field().await.map_err(broken)? {
            match part.name() {
                Some("file") => file = Some(bytes(part).await?),
                Some("mapping") => mapping = Some(parse_mapping(&bytes(part).await?)?),
                Some("dry_run") => dry_run = flag(&bytes(part).await?)?,
                other => {
                    let detail = format!("The form has no field {:?}.", other.unwrap_or_default());
                    return Err(Problem::invalid_field("", "unknown_field", detail));
                }
            }
        }
        let file = file.ok_or(Error::FileMissing)?;
        Ok(Self { dry_run, content: Content::Csv { file, mapping } })
    }
}

impl<S: Send + Sync> FromRequest<S> for Upload {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if media_type
            .is_some_and(|text| text.trim_start().to_ascii_lowercase().starts_with("multipart/form-data"))
        {
            let form = Multipart::from_request(request, state).await;
            return Self::form(form.map_err(|rejection| body_problem(rejection.into_response().status()))?)
                .await;
        }
        let Json(body) = Json::<json_lines::Body>::from_request(request, state).await?;
        Ok(Self { dry_run: body.dry_run, content: Content::Json(body) })
    }
}

async fn bytes(part: Part<'_>) -> Result<Bytes, Problem> {
    part.bytes().await.map_err(broken)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape that map_err wants")]
fn broken(error: MultipartError) -> Problem {
    body_problem(error.status())
}

fn parse_mapping(json: &[u8]) -> Result<Mapping, Problem> {
    parse(json).map_err(|mut problem: Problem| {
        for error in &mut problem.errors {
            error.pointer.insert_str(0, "/mapping");
        }
        problem
    })
}

fn flag(text: &[u8]) -> Result<bool, Problem> {
    match text {
        b"true" => Ok(true),
        b"false" | b"" => Ok(false),
        _ => Err(Problem::invalid_field("/dry_run", "invalid_value", "dry_run is true or false.")),
    }
}
