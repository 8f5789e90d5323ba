import type { DynamicModule, ExceptionFilter, ModuleMetadata, Type } from '@nestjs/common';
import type { CustomTransportStrategy } from '@nestjs/microservices';
import type { Db } from '@tidegate/database/database';
import type { Failpoints } from '@tidegate/database/failpoints';
import type { Broker } from '@tidegate/messaging/connection';
import type { RpcClient } from '@tidegate/messaging/rpc';
import type { Logger } from '@tidegate/telemetry/logger';
import type { Metrics } from '@tidegate/telemetry/metrics';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type pg from 'pg';
import type { BaseConfig } from './base-config.js';
import type { Clock } from './clock.js';
import type { HealthRegistry } from './health.js';
import type { Loop } from './loop.js';

/** What a service gets from its host: everything that the outside world consists of. */
export interface HostContext<C extends BaseConfig = BaseConfig> {
  config: Readonly<C>;
  logger: Logger;
  metrics: Metrics;
  clock: Clock;
  failpoints: Failpoints;
  health: HealthRegistry;
  db: Db;
  pool: pg.Pool;
  broker: Broker;
  rpc: RpcClient;
  /** Unique per process: names lease holders and traces. */
  instance: string;
}

/** Something that runs from start to stop, such as a consumer or an RPC subscription. */
export interface Startable {
  /** For logs and /readyz; by default the name of its class. */
  readonly name?: string;
  start(): Promise<void>;
  /** Stops taking work and resolves when the work in hand is done. */
  stop(): Promise<void>;
}

/** What a service gives to its host to run. */
export interface ServiceParts {
  module: Type | DynamicModule | ModuleMetadata;
  loops?: readonly Loop[];
  consumers?: readonly Startable[];
  strategies?: readonly CustomTransportStrategy[];
  filters?: readonly ExceptionFilter[];
  /** Parsers and hooks of the HTTP listener, before Nest adds its routes. */
  configureHttp?(fastify: FastifyInstance): void;
  /** Answers what the router refuses before any hook: a malformed URL, a parameter that is too long. */
  onFrameworkError?(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void;
  /** After all of the above have stopped, while broker and database are still open. */
  stop?(): Promise<void>;
}

export interface HostSpec<C extends BaseConfig> {
  service: string;
  version: string;
  /** A function is called by the host, which then reports its faults as a log line. */
  config: Readonly<C> | (() => Readonly<C>);
  /** Its schema in the database: /readyz says no until the migrations that this version brings have run. Absent: nobody looks. */
  schema?: string;
  /** Names of the service's own failpoints; those of messaging are known. */
  failpoints?: readonly string[];
  /** True for a service that takes its work over HTTP and keeps it in Postgres while the broker is away: /readyz then says yes, degraded. */
  readyWithoutBroker?: boolean;
  /** Largest request body in bytes; 64 KiB unless told. */
  bodyLimit?: number;
  setup(context: HostContext<C>): ServiceParts | Promise<ServiceParts>;
}
