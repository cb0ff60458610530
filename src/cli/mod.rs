//! Arguments, printing, exit codes and the environment: the only place that prints, exits or reads the environment.
