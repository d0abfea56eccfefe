/** Names without a slash that Docker Hub itself gives images for: a folder of that name is not what FROM means. */
const official = `adminer aerospike aeron alpine almalinux alt amazoncorretto amazonlinux api-firewall arangodb archlinux
backdrop bash bonita buildpack-deps busybox caddy cassandra centos chronograf cirros clearlinux clefos clojure
composer consul convertigo couchbase couchdb crate crux dart debian docker drupal eclipse-mosquitto
eclipse-temurin eggdrop elasticsearch elixir emqx erlang euleros express-gateway fedora flink fluentd friendica
fsharp gazebo gcc geonetwork ghost gradle groovy haproxy haskell haxe hello-world hitch httpd hylang ibmjava
ibm-semeru-runtimes influxdb irssi jetty joomla jruby julia kaazing-gateway kapacitor kibana known kong krakend
liquibase logstash mageia mariadb matomo maven mediawiki memcached mongo mongo-express mono monica mysql nats
nats-streaming neo4j neurodebian nextcloud nginx node notary nuxeo odoo open-liberty openjdk opensuse oraclelinux
orientdb percona perl photon php php-zendserver phpmyadmin plone postfixadmin postgres pypy python r-base
rabbitmq rakudo-star rapidoid redis redmine registry rethinkdb rocket.chat rockylinux ros ruby rust sapmachine
satosa scala-sbt scratch sentry silverpeas sl solr sonarqube sourcemage spark spiped storm swarm swift swipl
teamspeak telegraf thrift tomcat tomee traefik ubuntu ubuntu-debootstrap ubuntu-upstart unit varnish vault
websphere-liberty wordpress xwiki yourls znc zookeeper`;

export const officialImages: ReadonlySet<string> = new Set(official.split(/\s+/));

/** Owners of images that everybody builds on: their names are those of others, unless the repository says more. */
const vendors = `amazon bitnami circleci cimg condaforge continuumio debezium docker gcr.io/distroless google grafana
hashicorp intel jenkins mambaorg mcr.microsoft.com microsoft nvcr.io nvidia opensuse oracle prom prometheus
public.ecr.aws pytorch redhat registry.access.redhat.com registry.redhat.io rapidsai selenium tensorflow
tianon tonistiigi wolfi cgr.dev quay.io/centos quay.io/fedora`;

const vendorNames = vendors.split(/\s+/);

/** `namespace` is host and path without `docker.io/`: `nvidia`, `mcr.microsoft.com/dotnet`. */
export function isVendor(namespace: string): boolean {
  return vendorNames.some((name) => namespace === name || namespace.startsWith(`${name}/`));
}
