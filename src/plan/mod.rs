//! Turns a workflow into ordered main and post steps. Pure.
