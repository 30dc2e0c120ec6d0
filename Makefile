.PHONY: test check build bench fuzz

test: ## install what the tests need, then run every one of them
	./scripts/test

check: ## the quick half of test: format, vet, staticcheck
	./scripts/lint

build: ## one static binary, ./cardea
	CGO_ENABLED=0 go build -trimpath -ldflags "-s -w" -o cardea ./cmd/cardea

bench: ## the figures that README quotes
	./scripts/bench

fuzz: ## every fuzz target for FUZZTIME (30s) each
	./scripts/fuzz
