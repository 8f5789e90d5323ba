import { type Route } from '../http/route.js';
import { mandateById } from './find.js';

export const mandateRoutes: readonly Route[] = [
  { operation: 'GET /v1/mandates/{id}', returns: 'mandate', handle: (world, { id }) => mandateById(world, id) },
];
