package people

import "log/slog"

const levelWarn = slog.LevelWarn

// errorAttr is an error for the log. The errors of this package and of what it calls
// never quote what people typed.
func errorAttr(err error) slog.Attr { return slog.String("error", err.Error()) }
