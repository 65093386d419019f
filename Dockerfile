# One static binary, the sample populations, the certificate authorities by which servers of
# clients' key sets are known, and one writable place, /data. No shell, no libraries; times are
# UTC, so no time zones either.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN sh .ci/image-root.sh /image

FROM scratch
COPY --from=build /image/sandfhir /sandfhir
COPY --from=build /image/etc /etc
COPY --from=build /image/population /population
COPY --from=build --chown=65532:65532 /image/data /data
ENV HOME=/data
ENV SANDFHIR_ADDR=:8080
ENV SANDFHIR_CACHE_DIR=/population
ENV SANDFHIR_DATA=/data
USER 65532:65532
VOLUME /data
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/sandfhir", "healthcheck"]
ENTRYPOINT ["/sandfhir"]
