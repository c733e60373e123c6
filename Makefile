# Mithaq. `make` lists what can be done; Go, git and make are all it needs.

SHELL := /bin/sh
.DEFAULT_GOAL := help
.SUFFIXES:

BIN := $(CURDIR)/bin
export GOWORK := off

# Stamped into the binaries.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unknown)
LDFLAGS := -s -w -X main.version=$(VERSION)

# The race detector needs a C compiler on most systems; without one the tests run without it.
RACE := $(if $(filter 1,$(shell go env CGO_ENABLED 2>/dev/null)),-race)

# What the generators write. `make verify` watches exactly these.
APPLYCONFIG := api/v1alpha1/applyconfiguration
CRDS := config/crd/bases
ROLE := config/rbac/role.yaml
CHART_FILES := charts/mithaq/files# the chart installs these copies of what config/ holds
GENERATED = api/v1alpha1/zz_generated.deepcopy.go $(APPLYCONFIG) $(CRDS) $(ROLE) $(CHART_FILES) docs/api.md docs/reasons.md docs/rules.md docs/evidence.md docs/platforms.md docs/scaling.md

tool = $(BIN)/$(1)-$(shell awk '$$1 == "$(1)" { print $$2 }' hack/tools/versions)
CONTROLLER_GEN = $(call tool,controller-gen)
CRD_REF_DOCS = $(call tool,crd-ref-docs)
GOLANGCI_LINT = $(call tool,golangci-lint)
HELM = $(call tool,helm)
KUSTOMIZE = $(call tool,kustomize)

##@ Start here

.PHONY: help
help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } \
		/^##@ / { printf "\n%s\n", substr($$0, 5) } \
		/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

RUN_FLAGS ?=
.PHONY: run
run: controlplane ## Start control plane, simulator and operator with a sample ministry (ONCE=1: until converged; RUN_FLAGS=…)
	@hack/tools/gobuild.sh $(BIN)/mithaq . -trimpath -ldflags '$(LDFLAGS)'
	@hack/tools/gobuild.sh $(BIN)/platformsim ./hack/platformsim -trimpath -ldflags '$(LDFLAGS)'
	@hack/tools/gobuild.sh $(BIN)/dev ./hack/dev -trimpath -ldflags '$(LDFLAGS)'
	@exec $(BIN)/dev $(if $(filter-out 0 false no,$(ONCE)),--once) $(RUN_FLAGS)

PKG ?= ./...
TESTFLAGS ?=
.PHONY: test
test: controlplane $(HELM) $(KUSTOMIZE) ## Run all tests against a real API server (PKG=./internal/… TESTFLAGS='-run …')
	$(if $(RACE),,@echo "test: no C compiler, so without the race detector")
	KUBEBUILDER_ASSETS=$(BIN) go test $(RACE) -shuffle=on -timeout 20m $(TESTFLAGS) $(PKG)

.PHONY: build
build: ## Build bin/mithaq
	@hack/tools/gobuild.sh $(BIN)/mithaq . -trimpath -ldflags '$(LDFLAGS)'

.PHONY: controlplane
controlplane: ## Put kube-apiserver, etcd and kubectl into bin/ (minutes the first time, instant afterwards)
	@hack/controlplane/build.sh $(BIN)

##@ Change things

# It writes the name it is called by into what it generates, so that holds no version.
RUN_CONTROLLER_GEN = @ln -sf $(notdir $(CONTROLLER_GEN)) $(BIN)/controller-gen && $(BIN)/controller-gen

.PHONY: generate
generate: $(CONTROLLER_GEN) ## Generate deep copies, apply configurations, docs/reasons.md, rules.md and evidence.md
	@mkdir -p $(BIN) && touch $(BIN)/.generating
	$(RUN_CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/v1alpha1
	@$(call forget-old,$(APPLYCONFIG))
	@$(MAKE) --no-print-directory reasons

.PHONY: manifests
manifests: $(CONTROLLER_GEN) ## Generate CRDs from the types and roles from the markers
	@mkdir -p $(BIN) $(CRDS) $(dir $(ROLE)) $(CHART_FILES)/crds $(CHART_FILES)/rbac && touch $(BIN)/.generating
	$(RUN_CONTROLLER_GEN) crd paths=./api/v1alpha1 output:crd:artifacts:config=$(CRDS)
	@$(call forget-old,$(CRDS))
	$(RUN_CONTROLLER_GEN) rbac:roleName=mithaq-manager $(foreach d,$(wildcard main.go controllers internal),paths=./$(if $(filter %.go,$d),,$d/...)) output:rbac:artifacts:config=$(dir $(ROLE))
	@rm -f $(CHART_FILES)/crds/*.yaml $(CHART_FILES)/rbac/*.yaml
	cp $(CRDS)/*.yaml $(CHART_FILES)/crds/
	cp $(dir $(ROLE))*role.yaml $(CHART_FILES)/rbac/

# forget-old: remove what the generator did not write again, since the type is gone.
forget-old = test ! -d $(1) || find $(1) -type f ! -newer $(BIN)/.generating -exec rm -f {} +

.PHONY: docs
docs: $(CRD_REF_DOCS) reasons bench-page ## Generate docs/api.md, reasons.md, rules.md, evidence.md and the tables of scaling.md
	@mkdir -p docs
	$(CRD_REF_DOCS) --source-path=api/v1alpha1 --config=hack/tools/crd-ref-docs.yaml --templates-dir=hack/tools/crd-ref-docs --renderer=markdown --output-path=docs/api.md --log-level=ERROR

.PHONY: reasons
reasons:
	$(if $(wildcard hack/docs/*.go),go run ./hack/docs)

.PHONY: tidy
tidy: ## Tidy go.mod
	go mod tidy

##@ Check

.PHONY: lint
lint: lint-format lint-code lint-api ## Run gofmt, golangci-lint and kube-api-linter (each alone: lint-format lint-code lint-api)

.PHONY: lint-format
lint-format:
	@echo "lint: gofmt"
	@files=$$(git ls-files -co --exclude-standard '*.go' | while read -r f; do if [ -f "$$f" ]; then echo "$$f"; fi; done); \
		bad=$$(if [ -n "$$files" ]; then gofmt -l $$files; fi); \
		if [ -n "$$bad" ]; then echo "not formatted, run gofmt -w on:"; echo "$$bad"; exit 1; fi

.PHONY: lint-code
lint-code: $(GOLANGCI_LINT)
	@echo "lint: golangci-lint"
	@$(GOLANGCI_LINT) run --allow-parallel-runners ./...

.PHONY: lint-api
lint-api:
	@echo "lint: kube-api-linter"
	@mkdir -p $(BIN)
	@go -C hack/apilint build -o $(BIN)/apilint .
	@$(BIN)/apilint -exceptions hack/apilint/exceptions.yaml ./api/v1alpha1

.PHONY: lint-test
lint-test: $(GOLANGCI_LINT) ## Show that the linters bite: offences against the import rules, apilint's own tests
	@hack/tools/lint-bites.sh $(GOLANGCI_LINT)
	go -C hack/apilint vet ./...
	go -C hack/apilint test ./...

.PHONY: verify
verify: ## Regenerate everything and fail if the tree did not hold it already
	@rm -rf $(BIN)/.verify && mkdir -p $(BIN)/.verify/before $(BIN)/.verify/after
	@$(call snapshot,before)
	@$(MAKE) --no-print-directory generate manifests docs
	@$(call snapshot,after)
	@(cd $(BIN)/.verify && git diff --no-index --exit-code --no-color before after >diff) || { \
		sed -n 1,120p $(BIN)/.verify/diff; (cd $(BIN)/.verify && git diff --no-index --stat=120 --no-color before after); \
		echo "verify: generated files were out of date (above, shortened; whole: bin/.verify/diff)."; \
		echo "verify: the tree now holds the right ones: commit them, or run 'make generate manifests docs' before the next commit."; exit 1; }
	@go mod tidy -diff || { echo; echo "verify: go.mod or go.sum is not tidy (difference above): run 'make tidy' and commit."; exit 1; }
	@rm -rf $(BIN)/.verify
	@echo "verify: generated files and go.mod are up to date"

snapshot = for f in $(GENERATED); do if [ -e "$$f" ]; then mkdir -p "$(BIN)/.verify/$(1)/$$(dirname "$$f")" && cp -R "$$f" "$(BIN)/.verify/$(1)/$$f" || exit 1; fi; done

.PHONY: simulate-day
simulate-day: ## Let the engine work through a day of 5 x 26,520 accounts; writes docs/simulated-day.md and bin/day.json
	go run ./hack/simulateday

FAULTS ?= 2900
FAULTS_KILLS ?= 50
.PHONY: faults
faults: controlplane ## Strike a handover at every effect with every fault (FAULTS=all, SEED=… replays one); writes bin/faults.json
	@hack/tools/gobuild.sh $(BIN)/mithaq . -trimpath -ldflags '$(LDFLAGS)'
	@KUBEBUILDER_ASSETS=$(BIN) MITHAQ=$(BIN)/mithaq $(if $(SEED),SEED='$(SEED)',FAULTS=$(FAULTS) FAULTS_KILLS=$(FAULTS_KILLS) FAULTS_OUT=$(BIN)/faults.json) \
		go test -count=1 -timeout 60m -v $(if $(SEED),-run TestNoFaultBreaksAnInvariant) ./test/faults

MASS ?= 1000
.PHONY: mass
mass: controlplane ## Change the hands of MASS accounts (1000) at once, on five platforms under the limits that they publish
	KUBEBUILDER_ASSETS=$(BIN) MASS=$(MASS) go test -count=1 -timeout 90m -v -run TestManyHandoversAtOnce ./test/e2e

N ?= 10000
PHASE ?=
BENCH_FLAGS ?=
.PHONY: bench
bench: controlplane ## Measure the operator with N accounts (10000) on a real API server; writes bin/bench.json (PHASE=restart BENCH_FLAGS=…)
	@hack/tools/gobuild.sh $(BIN)/mithaq . -trimpath -ldflags '$(LDFLAGS)'
	@hack/tools/gobuild.sh $(BIN)/platformsim ./hack/platformsim -trimpath -ldflags '$(LDFLAGS)'
	@hack/tools/gobuild.sh $(BIN)/bench-naive ./hack/bench/naive -trimpath -ldflags '$(LDFLAGS)'
	@hack/tools/gobuild.sh $(BIN)/bench ./hack/bench -trimpath -ldflags '$(LDFLAGS)'
	@exec $(BIN)/bench --accounts $(N) $(if $(PHASE),--phase $(PHASE)) $(BENCH_FLAGS)

SIZES ?= 1000 10000 50000 132595
.PHONY: bench-scaling
bench-scaling: ## Run make bench for each of SIZES, keep the figures in docs/figures and write docs/scaling.md; takes hours
	@set -e; for n in $(SIZES); do \
		$(MAKE) --no-print-directory bench N=$$n; cp $(BIN)/bench.json docs/figures/bench-accounts-$$n.json; $(MAKE) --no-print-directory bench-page; \
	done

.PHONY: bench-page
bench-page: ## Write the tables of docs/scaling.md from docs/figures
	@go run ./hack/bench --page-only --page docs/scaling.md --out docs/figures/bench.json

.PHONY: shards
shards: controlplane ## Play three processes, and a kill, with an API server that divides lists and with one that does not
	KUBEBUILDER_ASSETS=$(BIN) SHARDS=all go test -count=1 -timeout 20m -v ./test/shards

BENCHTIME ?= 1s
.PHONY: bench-go
bench-go: controlplane ## Run the Go benchmarks (BENCHTIME=1s PKG=…)
	KUBEBUILDER_ASSETS=$(BIN) go test -run='^$$' -bench=. -benchmem -benchtime=$(BENCHTIME) $(TESTFLAGS) $(PKG)

.PHONY: bench-policy
bench-policy: ## Measure the rule engine: a table, and bin/bench-policy.json
	@mkdir -p $(BIN)
	@go run ./hack/benchpolicy --out $(BIN)/bench-policy.json

FUZZTIME ?= 10s
.PHONY: fuzz
fuzz: ## Run every fuzz target for FUZZTIME (10s)
	@git grep --untracked -l '^func Fuzz' -- '*_test.go' | while read -r file; do \
		sed -n 's/^func \(Fuzz[A-Za-z0-9_]*\)(.*/\1/p' "$$file" | while read -r name; do \
			echo "fuzz: $$name in $$(dirname "$$file")"; \
			go test -run='^$$' -fuzz="^$$name\$$" -fuzztime=$(FUZZTIME) "./$$(dirname "$$file")" </dev/null || exit 1; \
		done || exit 1; \
	done

COUNT ?= 20
.PHONY: deflake
deflake: controlplane $(HELM) $(KUSTOMIZE) ## Run the tests COUNT times (20) in ever new order, until one fails
	@n=1; while [ $$n -le $(COUNT) ]; do echo "deflake: $$n of $(COUNT)"; \
		KUBEBUILDER_ASSETS=$(BIN) go test $(RACE) -count=1 -shuffle=on -failfast $(TESTFLAGS) $(PKG) || exit 1; \
		n=$$((n + 1)); done

##@ Other

.PHONY: tools
tools: $(CONTROLLER_GEN) $(CRD_REF_DOCS) $(GOLANGCI_LINT) $(HELM) $(KUSTOMIZE) ## Install the tools into bin/ (each is installed when first needed)

$(BIN)/controller-gen-% $(BIN)/crd-ref-docs-% $(BIN)/golangci-lint-% $(BIN)/helm-% $(BIN)/kustomize-%:
	@hack/tools/install.sh $(firstword $(foreach t,controller-gen crd-ref-docs golangci-lint helm kustomize,$(if $(filter $t-%,$(@F)),$t))) >/dev/null

.PHONY: image
image: ## Build the container image (IMAGE=…)
	docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .
IMAGE ?= mithaq:$(VERSION)

.PHONY: clean
clean: ## Remove everything built here (the machine-wide cache stays)
	rm -rf $(BIN) dist .run cover.out
