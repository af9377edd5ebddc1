//! temporary
#[path = "it/forms.rs"]
mod forms;
#[path = "it/forms_hostile.rs"]
mod forms_hostile;
#[path = "it/forms_talk.rs"]
mod forms_talk;
#[path = "it/render.rs"]
mod render;
