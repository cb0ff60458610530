module example.com/go-sample

go 1.22

require (
	modules.example/certs v1.2.8
	modules.example/config/v3 v3.2.0
	modules.example/flags v1.0.9
	modules.example/geo/v2 v2.3.1
	modules.example/invoices v0.6.0
	modules.example/jobs v0.11.4
	modules.example/log v1.9.0
	modules.example/mail v0.8.1
	modules.example/metrics v1.21.0
	modules.example/objects v1.88.0
	modules.example/pages v1.3.4
	modules.example/picture v0.25.0
	modules.example/problem v1.0.3
	modules.example/queue v1.43.1
	modules.example/router v1.8.1
	modules.example/rules v0.27.0
	modules.example/schema v1.36.5
	modules.example/search v1.4.0
	modules.example/session v1.3.0
	modules.example/spelling v0.3.0
	modules.example/store v1.10.2
	modules.example/timezones v1.25.2
	modules.example/trace v1.35.0
)

require (
	modules.example/bundle v1.18.2 // indirect
	modules.example/codec v1.17.3 // indirect
	modules.example/fonts v0.7.0 // indirect
	modules.example/migrate v0.18.4 // indirect
	modules.example/numbers v0.14.1 // indirect
	modules.example/retry v1.1.0 // indirect
	modules.example/rpc v1.71.0 // indirect
	modules.example/sign v0.41.0 // indirect
	modules.example/sqldriver v1.14.0 // indirect
	modules.example/text v1.4.2 // indirect
	modules.example/unicode-tables v0.22.0 // indirect
)
