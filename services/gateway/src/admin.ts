import { createKey, createTenant } from './admin/commands.js';
import { adminProgram } from './admin/program.js';

await adminProgram({ createTenant, createKey }).parseAsync();
