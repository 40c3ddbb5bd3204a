package app

import "vigil/dashboards/console"

// services are what the console's pages read and act through.
func (a *App) services() console.Services {
	return console.Services{
		Reader:   a.reader,
		Watcher:  a.news,
		Decider:  a.desk,
		Silencer: a.desk,
		Reporter: a.reports,
		Notices:  &notices{reader: a.reader, conf: a.conf},
	}
}
