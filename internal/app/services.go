package app

import "vigil/dashboards/console"

// services are what the console's pages read and act through.
func (a *App) services() console.Services {
	return console.Services{
		Reader:      a.reader,
		Explorer:    a.reader,
		Actors:      a.reader,
		Watcher:     a.news,
		Worker:      a.newCaseDesk(),
		Driller:     a.drills,
		Keeper:      a.sources,
		Decider:     a.desk,
		Silencer:    a.desk,
		Reporter:    a.reports,
		Notices:     &notices{reader: a.reader, conf: a.conf},
		Subjects:    a.whose,
		Readers:     a.askers,
		Revealer:    a.reveals,
		Packs:       &packs{reader: a.reader, conf: a.conf},
		Guises:      a.opts.Guises,
		Auditor:     &auditLog{reader: a.reader},
		ReportFiles: a.reports,
		Tuner:       a.tuning,
		Replayer:    a.backtests,
	}
}
