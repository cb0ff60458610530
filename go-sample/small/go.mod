module example.com/go-sample

go 1.22

require (
	modules.example/small/flags v1.0.9
	modules.example/small/records v0.9.3
	modules.example/small/tables v0.22.0
)

require (
	modules.example/small/schema v1.36.5 // indirect
	modules.example/small/text v1.4.2 // indirect
	modules.example/small/units v1.0.1 // indirect
)
